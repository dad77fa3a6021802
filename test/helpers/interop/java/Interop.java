// What Kafka's console tools cannot write or show: every byte of a record, as one line of text. Run as a source file with Kafka's jars.
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Interop {
  private static final PrintStream OUT =
      new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false, StandardCharsets.UTF_8);

  public static void main(String[] args) throws Exception {
    String bootstrap = args[1];
    switch (args[0]) {
      case "write" -> write(bootstrap);
      case "read" -> read(bootstrap, Arrays.asList(args).subList(2, args.length));
      case "commits" -> commits(bootstrap, args[2], args[3]);
      default -> throw new IllegalArgumentException(args[0]);
    }
    OUT.flush();
  }

  /** Lines on standard input: codec, topic, partition or -, timestamp or -, key, value, headers; answers with the partitions. */
  private static void write(String bootstrap) throws Exception {
    Map<String, KafkaProducer<byte[], byte[]>> producers = new HashMap<>();
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] parts = line.split("\t", -1);
      var producer = producers.computeIfAbsent(parts[0], codec -> producer(bootstrap, codec));
      Integer partition = parts[2].equals("-") ? null : Integer.valueOf(parts[2]);
      Long timestamp = parts[3].equals("-") ? null : Long.valueOf(parts[3]);
      var record = new ProducerRecord<>(parts[1], partition, timestamp, bytes(parts[4]), bytes(parts[5]));
      if (!parts[6].isEmpty()) {
        for (String header : parts[6].split(",")) {
          int at = header.indexOf(':');
          String name = new String(bytes(header.substring(0, at)), StandardCharsets.UTF_8);
          record.headers().add(name, bytes(header.substring(at + 1)));
        }
      }
      sent.add(producer.send(record));
    }
    for (var future : sent) OUT.println(future.get().partition());
    for (var producer : producers.values()) producer.close();
  }

  private static KafkaProducer<byte[], byte[]> producer(String bootstrap, String codec) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("compression.type", codec);
    properties.put("enable.idempotence", "true");
    properties.put("linger.ms", "20");
    return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
  }

  /** All there is in the topics, as lines: topic, partition, timestamp, key, value, headers. */
  private static void read(String bootstrap, List<String> topics) {
    try (var consumer = consumer(bootstrap, null)) {
      List<TopicPartition> all = new ArrayList<>();
      for (String topic : topics) {
        for (PartitionInfo info : consumer.partitionsFor(topic))
          all.add(new TopicPartition(topic, info.partition()));
      }
      consumer.assign(all);
      consumer.seekToBeginning(all);
      var ends = consumer.endOffsets(all);
      while (all.stream().anyMatch(one -> consumer.position(one) < ends.get(one))) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) print(record);
      }
    }
  }

  private static void print(ConsumerRecord<byte[], byte[]> record) {
    StringBuilder headers = new StringBuilder();
    for (Header header : record.headers()) {
      if (headers.length() > 0) headers.append(',');
      headers.append(text(header.key().getBytes(StandardCharsets.UTF_8))).append(':').append(text(header.value()));
    }
    OUT.println(
        String.join(
            "\t",
            record.topic(),
            String.valueOf(record.partition()),
            String.valueOf(record.timestamp()),
            text(record.key()),
            text(record.value()),
            headers));
  }

  /** What a group has committed for a topic, as lines: partition, offset. */
  private static void commits(String bootstrap, String group, String topic) {
    try (var consumer = consumer(bootstrap, group)) {
      for (PartitionInfo info : consumer.partitionsFor(topic)) {
        var partition = new TopicPartition(topic, info.partition());
        var offset = consumer.committed(java.util.Set.of(partition)).get(partition);
        OUT.println(info.partition() + "\t" + (offset == null ? -1 : offset.offset()));
      }
    }
  }

  private static KafkaConsumer<byte[], byte[]> consumer(String bootstrap, String group) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    if (group != null) properties.put("group.id", group);
    properties.put("enable.auto.commit", "false");
    return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private static byte[] bytes(String text) {
    return text.equals("~") ? null : Base64.getDecoder().decode(text);
  }

  private static String text(byte[] bytes) {
    return bytes == null ? "~" : Base64.getEncoder().encodeToString(bytes);
  }
}
