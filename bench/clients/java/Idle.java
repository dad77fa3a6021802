import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** A member of a group that has nothing to read. Arguments: brokers, topic, group, partitions. Says when it has all of them and where each is read from. */
public final class Idle {
    private Idle() {}

    public static void main(String[] arguments) {
        int partitions = Integer.parseInt(arguments[3]);
        Properties properties = new Properties();
        properties.put("bootstrap.servers", arguments[0]);
        properties.put("group.id", arguments[2]);
        properties.put("auto.offset.reset", "earliest");
        // It would commit every position every five seconds, moved or not; ours commits nothing that has not moved.
        properties.put("enable.auto.commit", "false");
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(arguments[1]));
            while (consumer.assignment().size() < partitions) consumer.poll(Duration.ofSeconds(1));
            for (TopicPartition partition : consumer.assignment()) consumer.position(partition);
            System.out.println("ready");
            while (true) consumer.poll(Duration.ofSeconds(1));
        }
    }
}
