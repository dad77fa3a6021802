// Divides random groups with Kafka's own client-side assignors: members come, go, miss generations and change what they subscribe to, partitions
// are added, some groups have racks. The same in every run with the same seed.
//
//   java -cp 'path/to/kafka/libs/*' test/golden/group/GenerateClassic.java 20261121 200 | gzip -9n > test/golden/group/classic.json.gz
//
// One line per group, a list of rounds. A round: topics with the racks of each partition's replicas, members [id, instance id], and by assignor
// the bytes of each member's subscription (base64, in the members' order) and what Kafka's assignor gave it.
import java.nio.ByteBuffer;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.*;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.*;

public class GenerateClassic {
    private static final int ROUNDS = 5;
    private static final String[] NAMES = {"range", "roundrobin", "sticky", "cooperative-sticky"};

    /** A member with what its client remembers. */
    private static class Member {
        String id;
        String instance;
        String rack;
        List<String> topics = new ArrayList<>();
        short version;
        StickyAssignor sticky = new StickyAssignor();
        CooperativeStickyAssignor cooperative = new CooperativeStickyAssignor();
        List<TopicPartition> owned = new ArrayList<>();
        int generation = -1;
    }

    private final Random random;
    private final Map<String, List<Set<Integer>>> topics = new TreeMap<>();
    private final List<Member> members = new ArrayList<>();
    private final List<Node> nodes = new ArrayList<>();
    private final boolean uniform;
    private final boolean racks;
    private int generation = 1;

    private GenerateClassic(long seed) {
        random = new Random(seed);
        uniform = random.nextInt(2) == 0;
        racks = random.nextInt(3) == 0;
        for (int id = 0; id < 5; id++) nodes.add(racks ? new Node(id, "h", 1, "rack-" + id % (2 + random.nextInt(2))) : new Node(id, "h", 1));
        int count = 1 + random.nextInt(6);
        for (int at = 0; at < count; at++) {
            String name = "topic-" + random.nextInt(1000) + "-" + at;
            topics.put(name, new ArrayList<>());
            grow(name, random.nextInt(10) == 0 ? 0 : 1 + random.nextInt(random.nextInt(8) == 0 ? 60 : 10));
        }
    }

    public static void main(String[] args) {
        long seed = Long.parseLong(args[0]);
        int groups = Integer.parseInt(args[1]);
        List<String> lines = new ArrayList<>();
        for (int at = 0; at < groups; at++) lines.add(new GenerateClassic(seed * 1_000_003 + at).play());
        System.out.print("[\n" + String.join(",\n", lines) + "\n]\n");
    }

    private String play() {
        List<String> rounds = new ArrayList<>();
        for (int at = 1 + random.nextInt(random.nextInt(6) == 0 ? 25 : 6); at > 0; at--) add();
        for (int round = 0; round < ROUNDS; round++) {
            if (round > 0) change();
            rounds.add(round());
        }
        return "[" + String.join(",\n", rounds) + "]";
    }

    private void grow(String topic, int by) {
        for (int at = 0; at < by; at++) {
            Set<Integer> replicas = new TreeSet<>();
            for (int left = 1 + random.nextInt(3); left > 0; left--) replicas.add(random.nextInt(nodes.size()));
            topics.get(topic).add(replicas);
        }
    }

    private void add() {
        Member member = new Member();
        member.id = Integer.toString(random.nextInt(100_000), 36) + (random.nextInt(5) == 0 ? "\u00e9\uff5e" : "") + "-" + members.size() + generation;
        member.instance = random.nextInt(4) == 0 ? "i" + random.nextInt(100) + "-" + members.size() + generation : null;
        member.rack = racks && random.nextInt(5) > 0 ? "rack-" + random.nextInt(4) : null;
        member.version = (short) (random.nextInt(4) > 0 ? 3 : random.nextInt(4));
        member.topics = uniform && !members.isEmpty() ? members.get(0).topics : someTopics();
        members.add(member);
    }

    private List<String> someTopics() {
        List<String> some = new ArrayList<>();
        while (some.isEmpty()) for (String topic : topics.keySet()) if (random.nextInt(3) > 0) some.add(topic);
        if (random.nextInt(8) == 0) some.add("missing");
        Collections.shuffle(some, random);
        return some;
    }

    private void change() {
        int what = random.nextInt(6);
        if (what <= 1) for (int left = 1 + random.nextInt(3); left > 0; left--) add();
        if (what == 2 || what == 3) while (members.size() > 1 && random.nextInt(3) > 0) members.remove(random.nextInt(members.size()));
        if (what == 4) for (String topic : topics.keySet()) if (random.nextInt(3) == 0) grow(topic, 1 + random.nextInt(4));
        if (what == 5) {
            List<String> next = someTopics();
            for (Member member : members) if (uniform || random.nextInt(3) == 0) member.topics = uniform ? next : someTopics();
        }
    }

    private Cluster cluster() {
        List<PartitionInfo> infos = new ArrayList<>();
        topics.forEach((topic, partitions) -> {
            for (int at = 0; at < partitions.size(); at++) {
                Node[] replicas = partitions.get(at).stream().map(nodes::get).toArray(Node[]::new);
                infos.add(new PartitionInfo(topic, at, replicas[0], replicas, replicas));
            }
        });
        return new Cluster("c", nodes, infos, Set.of(), Set.of());
    }

    private ConsumerPartitionAssignor assignor(String name) {
        return switch (name) {
            case "range" -> new RangeAssignor();
            case "roundrobin" -> new RoundRobinAssignor();
            case "sticky" -> new StickyAssignor();
            default -> new CooperativeStickyAssignor();
        };
    }

    private byte[] subscription(String name, Member member) {
        ByteBuffer userData = switch (name) {
            case "sticky" -> member.sticky.subscriptionUserData(Set.copyOf(member.topics));
            case "cooperative-sticky" -> member.cooperative.subscriptionUserData(Set.copyOf(member.topics));
            default -> null;
        };
        List<TopicPartition> owned = name.equals("cooperative-sticky") ? member.owned : List.of();
        Subscription subscription = new Subscription(member.topics, userData, owned, member.generation, Optional.ofNullable(member.rack));
        ByteBuffer buffer = ConsumerProtocol.serializeSubscription(subscription, member.version);
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    private String round() {
        List<String> parts = new ArrayList<>();
        List<String> infos = new ArrayList<>();
        topics.forEach((topic, partitions) -> {
            List<String> each = new ArrayList<>();
            for (Set<Integer> replicas : partitions) {
                Set<String> known = new TreeSet<>();
                for (int id : replicas) if (nodes.get(id).rack() != null) known.add(quoted(nodes.get(id).rack()));
                each.add("[" + String.join(",", known) + "]");
            }
            infos.add(quoted(topic) + ":[" + String.join(",", each) + "]");
        });
        parts.add("\"topics\":{" + String.join(",", infos) + "}");
        List<String> ids = new ArrayList<>();
        for (Member member : members) ids.add("[" + quoted(member.id) + "," + (member.instance == null ? "null" : quoted(member.instance)) + "]");
        parts.add("\"members\":[" + String.join(",", ids) + "]");
        Cluster cluster = cluster();
        Set<Member> absent = new HashSet<>();
        for (Member member : members) if (random.nextInt(8) == 0) absent.add(member);
        for (String name : NAMES) parts.add(divide(name, cluster, absent));
        generation++;
        return "{" + String.join(",", parts) + "}";
    }

    /** Absent members never hear of their part: in the next round they come with what they had. */
    private String divide(String name, Cluster cluster, Set<Member> absent) {
        Map<String, Subscription> subscriptions = new HashMap<>();
        List<String> sent = new ArrayList<>();
        for (Member member : members) {
            byte[] bytes = subscription(name, member);
            sent.add("\"" + Base64.getEncoder().encodeToString(bytes) + "\"");
            Subscription read = ConsumerProtocol.deserializeSubscription(ByteBuffer.wrap(bytes));
            read.setGroupInstanceId(Optional.ofNullable(member.instance));
            subscriptions.put(member.id, read);
        }
        Map<String, Assignment> given = assignor(name).assign(cluster, new GroupSubscription(subscriptions)).groupAssignment();
        List<String> out = new ArrayList<>();
        for (Member member : members) {
            Assignment assignment = given.get(member.id);
            Map<String, TreeSet<Integer>> byTopic = new TreeMap<>();
            for (TopicPartition one : assignment.partitions()) byTopic.computeIfAbsent(one.topic(), x -> new TreeSet<>()).add(one.partition());
            List<String> share = new ArrayList<>();
            byTopic.forEach((topic, some) -> share.add(quoted(topic) + ":" + some.toString().replace(" ", "")));
            out.add("{" + String.join(",", share) + "}");
            if (absent.contains(member)) continue;
            ConsumerGroupMetadata metadata = new ConsumerGroupMetadata("g", generation, member.id, Optional.ofNullable(member.instance));
            if (name.equals("sticky")) member.sticky.onAssignment(assignment, metadata);
            if (!name.equals("cooperative-sticky")) continue;
            member.cooperative.onAssignment(assignment, metadata);
            member.owned = new ArrayList<>(assignment.partitions());
            member.generation = generation;
        }
        return quoted(name) + ":{\"sent\":[" + String.join(",", sent) + "],\"given\":[" + String.join(",", out) + "]}";
    }

    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c > 126 || c < 32 || c == '"' || c == '\\') quoted.append(String.format("\\u%04x", (int) c));
            else quoted.append(c);
        }
        return quoted.append('"').toString();
    }
}
