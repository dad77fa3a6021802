// Sends random values through windowed aggregations of Kafka Streams: out of order, ties, gaps, null keys, null values, invalid timestamps. The same in every run
// with the same seed.
//
//   java -cp 'path/to/kafka-streams-test-utils/libs/*' test/golden/windows/GenerateWindows.java 20261121 260 | gzip -9n > test/golden/windows/streams.json.gz
//
// One line per case. kind: tumbling, hopping, session. emit: 'updates' (every change), 'suppress' (untilWindowCloses), 'close' (EmitStrategy.onWindowClose).
// policy: what becomes of an invalid timestamp. input: [key or null, timestamp, value or null]. output: for each input the rows that came of it,
// [key, start, end, value]; the aggregate is the values in the order in which they were counted, '-' for null.
//
// Sessions are kept a millisecond longer than by default: Kafka Streams would forget a session that still takes values when stream time is just its gap and grace past
// its end. 'suppress' closes sessions at that time, 'close' after it; the cases for 'suppress' never meet it. The other windows are kept for a day: of those that it has
// forgotten when stream time leaps over their end, 'close' emits nothing.
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.processor.*;
import org.apache.kafka.streams.state.*;
import org.apache.kafka.streams.test.TestRecord;

public class GenerateWindows {
    private static final String[] KINDS = {"tumbling", "hopping", "session"};
    private static final String[] EMITS = {"updates", "suppress", "close"};
    private static final String[] POLICIES = {"fail", "fail", "fail", "skip", "use-stream-time"};
    private static final String[] KEYS = {"a", "b", "c", "d"};
    private static final String LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    /** The timestamp is the first part of a value; what is not valid is left to Kafka's own classes. */
    private static class FromValue implements TimestampExtractor {
        private final String policy;

        FromValue(String policy) {
            this.policy = policy;
        }

        @Override
        public long extract(ConsumerRecord<Object, Object> record, long partitionTime) {
            if (record.value() == null) return record.timestamp();
            long timestamp = Long.parseLong(((String) record.value()).split(":")[0]);
            if (timestamp >= 0) return timestamp;
            return switch (policy) {
                case "skip" -> new LogAndSkipOnInvalidTimestamp().onInvalidTimestamp(record, timestamp, partitionTime);
                case "use-stream-time" -> new UsePartitionTimeOnInvalidTimestamp().onInvalidTimestamp(record, timestamp, partitionTime);
                default -> new FailOnInvalidTimestamp().onInvalidTimestamp(record, timestamp, partitionTime);
            };
        }
    }

    private final Random random;
    private final String kind;
    private final String emit;
    private final String policy;
    private final long size;
    private final long advance;
    private final long gap;
    private final long grace;
    private final long unit;

    private GenerateWindows(long seed, int number) {
        random = new Random(seed);
        kind = KINDS[number % 3];
        emit = EMITS[number / 3 % 3];
        policy = POLICIES[number / 9 % 5];
        boolean even = kind.equals("session") && emit.equals("suppress");
        unit = even ? 2 : 1;
        size = 1 + random.nextInt(20);
        advance = kind.equals("hopping") ? 1 + random.nextInt((int) size) : size;
        gap = 1 + random.nextInt(12);
        int some = random.nextInt(4) == 0 ? 0 : random.nextInt(20);
        grace = even && (gap + some) % 2 == 0 ? some + 1 : some;
    }

    public static void main(String[] args) throws Exception {
        long seed = Long.parseLong(args[0]);
        int cases = Integer.parseInt(args[1]);
        Path state = Files.createTempDirectory("sluice-windows");
        List<String> lines = new ArrayList<>();
        for (int at = 0; at < cases; at++) lines.add(new GenerateWindows(seed * 1_000_003 + at, at).play(state));
        System.out.print("[\n" + String.join(",\n", lines) + "\n]\n");
        System.out.flush();
        try (var files = Files.walk(state)) {
            files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
        }
    }

    private String play(Path state) {
        StreamsBuilder builder = new StreamsBuilder();
        KStream<String, String> input = builder.stream("in",
            Consumed.with(Serdes.String(), Serdes.String()).withTimestampExtractor(new FromValue(policy)));
        KGroupedStream<String, String> grouped = input.groupByKey();
        Aggregator<String, String, String> add = (key, value, row) -> row + (value == null ? "-" : value.split(":")[1]);
        KTable<Windowed<String>, String> rows;
        if (kind.equals("session")) {
            Duration kept = Duration.ofMillis(gap + grace + 1);
            SessionWindowedKStream<String, String> windows = grouped.windowedBy(
                SessionWindows.ofInactivityGapAndGrace(Duration.ofMillis(gap), Duration.ofMillis(grace)));
            if (emit.equals("close")) windows = windows.emitStrategy(EmitStrategy.onWindowClose());
            Materialized<String, String, SessionStore<Bytes, byte[]>> as =
                Materialized.<String, String, SessionStore<Bytes, byte[]>>as("rows").withKeySerde(Serdes.String()).withValueSerde(Serdes.String());
            rows = windows.aggregate(() -> "", add, (key, one, other) -> one + other, as.withRetention(kept));
        } else {
            TimeWindows sized = TimeWindows.ofSizeAndGrace(Duration.ofMillis(size), Duration.ofMillis(grace));
            TimeWindowedKStream<String, String> windows = grouped.windowedBy(sized.advanceBy(Duration.ofMillis(advance)));
            if (emit.equals("close")) windows = windows.emitStrategy(EmitStrategy.onWindowClose());
            Materialized<String, String, WindowStore<Bytes, byte[]>> as =
                Materialized.<String, String, WindowStore<Bytes, byte[]>>as("rows").withKeySerde(Serdes.String()).withValueSerde(Serdes.String());
            rows = windows.aggregate(() -> "", add, as.withRetention(Duration.ofDays(1)));
        }
        if (emit.equals("suppress")) rows = rows.suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()));
        rows.toStream()
            .map((window, row) -> KeyValue.pair(window.key() + "," + window.window().start() + "," + window.window().end(), row))
            .to("out", Produced.with(Serdes.String(), Serdes.String()));

        Properties config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, "windows-" + random.nextInt(Integer.MAX_VALUE));
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:9092");
        config.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
        config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        config.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        config.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        config.put("__emit.interval.ms.kstreams.windowed.aggregation__", 0L);

        List<String> inputs = new ArrayList<>();
        List<String> outputs = new ArrayList<>();
        try (TopologyTestDriver driver = new TopologyTestDriver(builder.build(config), config)) {
            TestInputTopic<String, String> in = driver.createInputTopic("in", new StringSerializer(), new StringSerializer());
            TestOutputTopic<String, String> out = driver.createOutputTopic("out", new StringDeserializer(), new StringDeserializer());
            long now = random.nextInt(3) == 0 ? 0 : random.nextInt(60);
            int count = 20 + random.nextInt(LETTERS.length() - 20);
            for (int at = 0; at < count; at++) {
                int draw = random.nextInt(100);
                if (draw < 55) now += random.nextInt(5);
                else if (draw < 60) now += random.nextInt(60);
                long timestamp = random.nextInt(10) < 6 ? now : Math.max(0, now - random.nextInt((int) (size + gap + grace) * 2));
                timestamp -= timestamp % unit;
                String key = random.nextInt(25) == 0 && !policy.equals("use-stream-time") ? null : KEYS[random.nextInt(random.nextInt(2) + 3)];
                String value = random.nextInt(12) == 0 ? null : LETTERS.substring(at, at + 1);
                // With nothing to take the time from Kafka Streams fails, and is over.
                if (!policy.equals("fail") && value != null && at > 0 && random.nextInt(8) == 0) timestamp = -1;
                in.pipeInput(new TestRecord<>(key, value == null ? null : timestamp + ":" + value, null, Math.max(0, timestamp)));
                inputs.add(String.format("[%s,%d,%s]", key == null ? "null" : quoted(key), timestamp, value == null ? "null" : quoted(value)));
                List<String> step = new ArrayList<>();
                for (TestRecord<String, String> row : out.readRecordsToList()) {
                    String[] window = row.key().split(",");
                    step.add(String.format("[%s,%s,%s,%s]", quoted(window[0]), window[1], window[2], row.value() == null ? "null" : quoted(row.value())));
                }
                outputs.add("[" + String.join(",", step) + "]");
            }
        }
        String sizes = kind.equals("session") ? String.format("\"gapMs\":%d", gap) : String.format("\"sizeMs\":%d,\"advanceMs\":%d", size, advance);
        return String.format("{\"kind\":%s,\"emit\":%s,\"policy\":%s,%s,\"graceMs\":%d,\"input\":[%s],\"output\":[%s]}",
            quoted(kind), quoted(emit), quoted(policy), sizes, grace, String.join(",", inputs), String.join(",", outputs));
    }

    private static String quoted(String text) {
        return '"' + text + '"';
    }
}
