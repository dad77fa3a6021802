// Record batches as Java's client writes them, and what Java reads in them.
//   java -cp 'KAFKA_LIBS/*' Golden.java write DIR   writes NAME.bin and NAME.json for each case below
//   java -cp 'KAFKA_LIBS/*' Golden.java read FILE   prints what Java reads in a file of batches, in the form of NAME.json
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.StringJoiner;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.*;

public class Golden {
  static final long BASE = 1_760_000_000_000L;

  public static void main(String[] args) throws Exception {
    if (args[0].equals("read")) System.out.print(describe(ByteBuffer.wrap(Files.readAllBytes(Path.of(args[1])))));
    else writeAll(Path.of(args[1]));
  }

  static void writeAll(Path dir) throws Exception {
    for (String codec : new String[] {"none", "gzip", "snappy", "lz4", "zstd"}) {
      MemoryRecordsBuilder mixed = builder(compression(codec), TimestampType.CREATE_TIME, 100, 7, (short) 3, 42, false, 5);
      mixed(mixed);
      save(dir, codec, mixed.build().buffer());
      MemoryRecordsBuilder large = builder(compression(codec), TimestampType.CREATE_TIME, 0, -1, (short) -1, -1, false, 0);
      for (int i = 0; i < (codec.equals("none") ? 2 : 75); i++) large.append(BASE + i, bytes("k" + i), bytes(("line " + i + " of some text; ").repeat(codec.equals("none") ? 20 : 200)));
      save(dir, codec + "-large", large.build().buffer());
    }
    MemoryRecordsBuilder append = builder(Compression.NONE, TimestampType.LOG_APPEND_TIME, 10, -1, (short) -1, -1, false, 1);
    append.append(BASE, bytes("a"), bytes("1"));
    append.append(BASE + 5, bytes("b"), bytes("2"));
    save(dir, "append-time", append.build().buffer());

    MemoryRecordsBuilder wide = builder(Compression.NONE, TimestampType.CREATE_TIME, 0, -1, (short) -1, -1, false, 0);
    for (long timestamp : new long[] {BASE, 0, 1, -1, BASE + 3_000_000_000L, BASE + Integer.MAX_VALUE, BASE + Integer.MAX_VALUE + 1L, 1_760_000_000_123_456_789L,
        Long.MAX_VALUE, 1L << 53, (1L << 53) + 1}) if (timestamp >= 0) wide.append(timestamp, null, bytes("" + timestamp));
    save(dir, "wide-timestamps", wide.build().buffer());
    MemoryRecordsBuilder nanos = builder(Compression.NONE, TimestampType.CREATE_TIME, 0, -1, (short) -1, -1, false, 0);
    for (int i = 0; i < 5; i++) nanos.append(1_760_000_000_123_456_789L + i * 1001L, null, bytes("n" + i));
    save(dir, "nanoseconds", nanos.build().buffer());
    MemoryRecordsBuilder untimed = builder(Compression.NONE, TimestampType.CREATE_TIME, 0, -1, (short) -1, -1, false, 0);
    untimed.append(-1, bytes("k"), bytes("v"));
    save(dir, "no-timestamp", untimed.build().buffer());

    MemoryRecordsBuilder gaps = builder(Compression.NONE, TimestampType.CREATE_TIME, 5_000_000_000L, -1, (short) -1, -1, false, 9);
    gaps.appendWithOffset(5_000_000_003L, BASE, bytes("a"), bytes("1"));
    gaps.appendWithOffset(5_000_000_007L, BASE - 40, bytes("b"), null);
    gaps.appendWithOffset(5_000_100_000L, BASE - 40, bytes("c"), bytes("3"));
    save(dir, "gaps", gaps.build().buffer());

    ByteBuffer several = ByteBuffer.allocate(4096);
    MemoryRecordsBuilder part = builder(Compression.gzip().build(), TimestampType.CREATE_TIME, 0, 99, (short) 0, 0, true, 2);
    part.append(BASE, bytes("t"), bytes("in a transaction"));
    several.put(part.build().buffer());
    several.put(MemoryRecords.withEndTransactionMarker(1, BASE + 1, 2, 99, (short) 0, new EndTransactionMarker(ControlRecordType.ABORT, 17)).buffer());
    several.put(MemoryRecords.withEndTransactionMarker(2, BASE + 2, 2, 99, (short) 0, new EndTransactionMarker(ControlRecordType.COMMIT, 17)).buffer());
    part = builder(Compression.NONE, TimestampType.CREATE_TIME, 3, -1, (short) -1, -1, false, 2);
    part.append(BASE + 3, null, bytes("after"));
    several.put(part.build().buffer());
    several.flip();
    save(dir, "transaction", several);

    for (byte magic : new byte[] {0, 1}) {
      ByteBuffer old = ByteBuffer.allocate(512);
      MemoryRecordsBuilder legacy = MemoryRecords.builder(old, magic, Compression.NONE, TimestampType.CREATE_TIME, 0L);
      legacy.append(magic == 0 ? RecordBatch.NO_TIMESTAMP : BASE, bytes("old"), bytes("format"));
      Files.write(dir.resolve("magic-" + magic + ".bin"), rest(legacy.build().buffer()));
    }
  }

  static void mixed(MemoryRecordsBuilder builder) {
    Header[] headers = {new RecordHeader("trace", bytes("abc")), new RecordHeader("trace", bytes("déf")), new RecordHeader("empty", new byte[0]), new RecordHeader("null", (byte[]) null), new RecordHeader("", bytes("no name"))};
    builder.append(BASE, bytes("key"), bytes("value"));
    builder.append(BASE + 1, null, bytes("null key"));
    builder.append(BASE - 1, bytes("tombstone"), null);
    builder.append(BASE, new byte[0], new byte[0]);
    builder.append(BASE + 3_000_000_000L, bytes("schlüssel ✓ 鍵"), bytes("wert 😀"), headers);
    builder.append(BASE, null, (byte[]) null, headers);
    byte[] all = new byte[256];
    for (int i = 0; i < all.length; i++) all[i] = (byte) i;
    builder.append(BASE + 7, all, all);
  }

  static MemoryRecordsBuilder builder(Compression compression, TimestampType type, long baseOffset, long producerId, short epoch, int sequence, boolean transactional, int leaderEpoch) {
    return MemoryRecords.builder(ByteBuffer.allocate(1 << 20), RecordBatch.MAGIC_VALUE_V2, compression, type, baseOffset, BASE + 1000, producerId, epoch, sequence, transactional, leaderEpoch);
  }

  static Compression compression(String name) {
    return switch (name) {
      case "gzip" -> Compression.gzip().build();
      case "snappy" -> Compression.snappy().build();
      case "lz4" -> Compression.lz4().build();
      case "zstd" -> Compression.zstd().build();
      default -> Compression.NONE;
    };
  }

  static void save(Path dir, String name, ByteBuffer buffer) throws Exception {
    byte[] bytes = rest(buffer);
    Files.write(dir.resolve(name + ".bin"), bytes);
    Files.writeString(dir.resolve(name + ".json"), describe(ByteBuffer.wrap(bytes)));
  }

  static byte[] rest(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }

  static String describe(ByteBuffer buffer) throws Exception {
    StringJoiner batches = new StringJoiner(",\n", "[\n", "\n]\n");
    for (RecordBatch batch : MemoryRecords.readableRecords(buffer).batches()) {
      batch.ensureValid();
      StringJoiner records = new StringJoiner(",\n    ", "[\n    ", "\n  ]");
      for (org.apache.kafka.common.record.internal.Record record : batch) {
        record.ensureValid();
        StringJoiner headers = new StringJoiner(", ", "[", "]");
        for (Header header : record.headers()) headers.add("[" + text(header.key().getBytes(StandardCharsets.UTF_8)) + ", " + text(header.value()) + "]");
        records.add("{\"offset\": " + record.offset() + ", \"timestamp\": \"" + record.timestamp() + "\", \"size\": " + record.sizeInBytes() + ", \"key\": " + text(record.key()) + ", \"value\": " + text(record.value()) + ", \"headers\": " + headers + "}");
      }
      batches.add("{\n  \"baseOffset\": " + batch.baseOffset() + ", \"lastOffset\": " + batch.lastOffset() + ", \"leaderEpoch\": " + batch.partitionLeaderEpoch() + ", \"count\": " + batch.countOrNull()
          + ", \"codec\": \"" + batch.compressionType().name + "\", \"timestampType\": \"" + (batch.timestampType() == TimestampType.LOG_APPEND_TIME ? "append" : "create") + "\", \"maxTimestamp\": \"" + batch.maxTimestamp()
          + "\",\n  \"producerId\": " + batch.producerId() + ", \"producerEpoch\": " + batch.producerEpoch() + ", \"baseSequence\": " + batch.baseSequence() + ", \"isControl\": " + batch.isControlBatch() + ", \"isTransactional\": " + batch.isTransactional()
          + ", \"wireBytes\": " + batch.sizeInBytes() + ",\n  \"records\": " + records + "\n}");
    }
    return batches.toString();
  }

  static String text(ByteBuffer buffer) throws Exception {
    return buffer == null ? "null" : text(rest(buffer));
  }

  /** Hex; of long values the length and a digest. */
  static String text(byte[] bytes) throws Exception {
    if (bytes == null) return "null";
    if (bytes.length <= 64) return "\"" + HexFormat.of().formatHex(bytes) + "\"";
    return "\"" + bytes.length + ":" + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)).substring(0, 16) + "\"";
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
