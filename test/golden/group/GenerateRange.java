// Divides 200 random groups (static members and not, ids beyond ASCII, topics that do not exist) with Kafka's own RangeAssignor.
// java -cp 'kafka-libs/*' test/golden/group/GenerateRange.java > test/golden/group/range.json
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.*;
import org.apache.kafka.common.*;
public class GenerateRange {
  static String q(String s) { StringBuilder b = new StringBuilder("\""); for (char c : s.toCharArray()) { if (c > 126 || c < 32 || c == '"' || c == '\\') b.append(String.format("\\u%04x", (int) c)); else b.append(c); } return b.append('"').toString(); }
  public static void main(String[] a) {
    Random r = new Random(20261121);
    String alphabet = "abcXYZ019-._\u00e9\ud83d\ude00\uff5e";
    StringBuilder out = new StringBuilder("[\n");
    for (int n = 0; n < 200; n++) {
      int topics = 1 + r.nextInt(5), members = 1 + r.nextInt(8);
      Map<String, Integer> counts = new TreeMap<>();
      List<PartitionInfo> infos = new ArrayList<>();
      Node node = new Node(1, "h", 1);
      for (int t = 0; t < topics; t++) { String name = "t" + t; int p = r.nextInt(10) == 0 ? 0 : r.nextInt(13); if (p > 0) counts.put(name, p);
        for (int i = 0; i < p; i++) infos.add(new PartitionInfo(name, i, node, new Node[]{node}, new Node[]{node})); }
      Cluster cluster = new Cluster("c", List.of(node), infos, Set.of(), Set.of());
      Map<String, Subscription> subs = new LinkedHashMap<>();
      StringBuilder ms = new StringBuilder();
      int statics = r.nextInt(3);
      for (int m = 0; m < members; m++) {
        StringBuilder id = new StringBuilder(); int len = 1 + r.nextInt(4);
        for (int i = 0; i < len; i++) { int k = alphabet.offsetByCodePoints(0, r.nextInt(alphabet.codePointCount(0, alphabet.length()))); id.appendCodePoint(alphabet.codePointAt(k)); }
        String memberId = id + "-" + m;
        List<String> ts = new ArrayList<>();
        for (int t = 0; t < topics; t++) if (r.nextInt(4) != 0) ts.add("t" + t);
        Collections.shuffle(ts, r);
        Subscription s = new Subscription(ts);
        String instance = statics == 0 ? null : statics == 1 ? (r.nextBoolean() ? "i" + r.nextInt(100) + "-" + m : null) : "i" + r.nextInt(100) + "-" + m;
        s.setGroupInstanceId(Optional.ofNullable(instance));
        subs.put(memberId, s);
        if (m > 0) ms.append(',');
        ms.append("[").append(q(memberId)).append(',').append(instance == null ? "null" : q(instance)).append(",[");
        for (int t = 0; t < ts.size(); t++) { if (t > 0) ms.append(','); ms.append(q(ts.get(t))); }
        ms.append("]]");
      }
      Map<String, Assignment> got = new RangeAssignor().assign(cluster, new GroupSubscription(subs)).groupAssignment();
      StringBuilder as = new StringBuilder(); boolean first = true;
      for (String memberId : subs.keySet()) {
        if (!first) as.append(','); first = false;
        TreeMap<String, TreeSet<Integer>> by = new TreeMap<>();
        for (TopicPartition tp : got.get(memberId).partitions()) by.computeIfAbsent(tp.topic(), x -> new TreeSet<>()).add(tp.partition());
        as.append(q(memberId)).append(":{"); boolean f2 = true;
        for (var e : by.entrySet()) { if (!f2) as.append(','); f2 = false; as.append(q(e.getKey())).append(":").append(e.getValue().toString().replace(" ", "")); }
        as.append("}");
      }
      StringBuilder cs = new StringBuilder(); boolean f3 = true;
      for (var e : counts.entrySet()) { if (!f3) cs.append(','); f3 = false; cs.append(q(e.getKey())).append(':').append(e.getValue()); }
      out.append("{\"partitions\":{").append(cs).append("},\"members\":[").append(ms).append("],\"assignment\":{").append(as).append("}}").append(n < 199 ? ",\n" : "\n");
    }
    System.out.print(out.append("]\n"));
  }
}
