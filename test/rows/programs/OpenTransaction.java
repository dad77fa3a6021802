import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Adds an offset to a transaction, says so, and ends the transaction as its standard input says: commit or abort. */
public class OpenTransaction {
  // Who is no member of the group has no other way to name it.
  @SuppressWarnings({"removal", "deprecation"})
  public static void main(String[] args) throws Exception {
    String bootstrap = args[0], group = args[1], topic = args[2];
    int partition = Integer.parseInt(args[3]);
    long offset = Long.parseLong(args[4]);
    Properties settings = new Properties();
    settings.put("bootstrap.servers", bootstrap);
    settings.put("transactional.id", group + "-transaction");
    ByteArraySerializer bytes = new ByteArraySerializer();
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings, bytes, bytes)) {
      producer.initTransactions();
      producer.beginTransaction();
      producer.sendOffsetsToTransaction(
          Map.of(new TopicPartition(topic, partition), new OffsetAndMetadata(offset, "of a transaction")),
          new ConsumerGroupMetadata(group));
      System.out.println("open");
      String end = new BufferedReader(new InputStreamReader(System.in)).readLine();
      if ("commit".equals(end)) producer.commitTransaction();
      else producer.abortTransaction();
      System.out.println("over");
    }
  }
}
