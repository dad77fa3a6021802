// Prints the metrics that Kafka's own clients have after a record was written in a transaction and read by a member of a group, one a line:
// group, name, tags. `java -cp '/path/to/kafka/lib/*' MetricNames.java localhost:9092 topic | sort -u`.

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class MetricNames {
    public static void main(String[] args) throws Exception {
        Map<String, Object> producing = Map.of("bootstrap.servers", args[0], "transactional.id", "names");
        try (var producer = new KafkaProducer<>(producing, new StringSerializer(), new StringSerializer())) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(args[1], "k", "v")).get();
            producer.commitTransaction();
            print(producer.metrics().keySet());
        }
        Map<String, Object> consuming = Map.of(
            "bootstrap.servers", args[0], "group.id", "names", "auto.offset.reset", "earliest");
        try (var consumer = new KafkaConsumer<>(consuming, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(args[1]));
            while (consumer.poll(Duration.ofSeconds(1)).isEmpty());
            consumer.commitSync();
            print(consumer.metrics().keySet());
        }
    }

    private static void print(Iterable<MetricName> names) {
        for (MetricName name : names)
            System.out.println(name.group() + " " + name.name() + " " + String.join(",", name.tags().keySet().stream().sorted().toList()));
    }
}
