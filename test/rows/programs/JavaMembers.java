// Members of classic groups, as many as it is told to run, in one process: a line "join NAME GROUP TOPIC ASSIGNOR" or "leave NAME" on standard
// input; a line "NAME p,p,..." on standard output whenever what a member owns has changed, "NAME left" when it is gone.
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class JavaMembers {
    private static final Map<String, Member> members = new ConcurrentHashMap<>();

    public static void main(String[] args) throws Exception {
        Scanner lines = new Scanner(System.in);
        while (lines.hasNextLine()) {
            String[] words = lines.nextLine().split(" ");
            if (words[0].equals("join")) {
                Member member = new Member(args[0], words);
                members.put(words[1], member);
                member.start();
            } else members.remove(words[1]).over = true;
        }
        for (Member member : members.values()) member.over = true;
    }

    private static class Member extends Thread implements ConsumerRebalanceListener {
        private final String name;
        private final String topic;
        private final KafkaConsumer<byte[], byte[]> consumer;
        private final TreeSet<Integer> owned = new TreeSet<>();
        volatile boolean over;

        Member(String brokers, String[] words) {
            name = words[1];
            topic = words[3];
            Properties properties = new Properties();
            properties.put("bootstrap.servers", brokers);
            properties.put("group.id", words[2]);
            properties.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer." + words[4]);
            properties.put("heartbeat.interval.ms", "100");
            properties.put("session.timeout.ms", "10000");
            properties.put("auto.offset.reset", "earliest");
            consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        }

        @Override
        public void run() {
            consumer.subscribe(List.of(topic), this);
            while (!over) consumer.poll(Duration.ofMillis(50));
            consumer.close();
            System.out.println(name + " left");
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            for (TopicPartition one : partitions) owned.add(one.partition());
            tell();
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            for (TopicPartition one : partitions) owned.remove(one.partition());
            tell();
        }

        private void tell() {
            System.out.println(name + " " + owned.toString().replaceAll("[\\[\\] ]", ""));
        }
    }
}
