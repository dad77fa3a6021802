import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The settings of the Java client. */
final class Settings {
    static final int COMMIT_INTERVAL_MS = 5_000;
    static final int BATCH_BYTES = 1_000_000;
    private static final int BUFFER_BYTES = 64 << 20;
    private static final int POLL_RECORDS = 10_000;

    private Settings() {}

    static KafkaProducer<byte[], byte[]> producer(Task task) {
        return new KafkaProducer<>(producerProperties(task), new ByteArraySerializer(), new ByteArraySerializer());
    }

    static Properties producerProperties(Task task) {
        Properties properties = new Properties();
        properties.putAll(Map.of(
                "bootstrap.servers", task.brokers(),
                "acks", "all",
                "linger.ms", String.valueOf(task.lingerMs()),
                "batch.size", String.valueOf(BATCH_BYTES),
                "buffer.memory", String.valueOf(BUFFER_BYTES)));
        return properties;
    }

    static KafkaConsumer<byte[], byte[]> consumer(Task task, Job job, boolean autoCommit) {
        Properties properties = new Properties();
        properties.putAll(Map.of(
                "bootstrap.servers", task.brokers(),
                "group.id", job.groupId(),
                "auto.offset.reset", "earliest",
                "enable.auto.commit", String.valueOf(autoCommit),
                "auto.commit.interval.ms", String.valueOf(COMMIT_INTERVAL_MS),
                "max.poll.records", String.valueOf(POLL_RECORDS)));
        return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }
}
