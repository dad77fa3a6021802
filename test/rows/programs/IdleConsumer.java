import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads idle partitions with Java's consumer; prints the bytes and the processor time it takes, after a time of getting warm. */
public class IdleConsumer {
  public static void main(String[] args) {
    Duration warm = Duration.ofMillis(Long.parseLong(args[2]));
    Duration measured = Duration.ofMillis(Long.parseLong(args[3]));
    Map<String, Object> config = Map.of("bootstrap.servers", args[0], "auto.offset.reset", "latest", "enable.auto.commit", false,
        "group.protocol", args[4], "group.id", "idle-" + System.nanoTime());
    try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> all = consumer.partitionsFor(args[1]).stream()
          .map(info -> new TopicPartition(info.topic(), info.partition())).collect(Collectors.toList());
      consumer.assign(all);
      consumer.seekToEnd(all);
      all.forEach(consumer::position);
      poll(consumer, warm);
      double out = total(consumer, "outgoing-byte-total");
      double in = total(consumer, "incoming-byte-total");
      long cpu = cpuNs();
      long from = System.nanoTime();
      poll(consumer, measured);
      double seconds = (System.nanoTime() - from) / 1e9;
      System.out.printf("{\"partitions\":%d,\"bytesPerSecond\":%.1f,\"cpuMsPerSecond\":%.2f}%n", all.size(),
          (total(consumer, "outgoing-byte-total") - out + total(consumer, "incoming-byte-total") - in) / seconds, (cpuNs() - cpu) / 1e6 / seconds);
    }
  }

  private static void poll(KafkaConsumer<byte[], byte[]> consumer, Duration time) {
    long until = System.nanoTime() + time.toNanos();
    while (System.nanoTime() < until) consumer.poll(Duration.ofMillis(1000));
  }

  private static double total(KafkaConsumer<byte[], byte[]> consumer, String name) {
    for (Map.Entry<MetricName, ? extends Metric> metric : consumer.metrics().entrySet())
      if (metric.getKey().name().equals(name) && metric.getKey().group().equals("consumer-metrics"))
        return (double) metric.getValue().metricValue();
    throw new IllegalStateException("no " + name);
  }

  private static long cpuNs() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
  }
}
