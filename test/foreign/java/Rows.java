import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeader;

/** The records that are written, and one line for each in which every byte counts. */
final class Rows {
    static final int PARTITIONS = 3;
    private static final byte[] EVERY_BYTE = new byte[256];

    static {
        for (int at = 0; at < EVERY_BYTE.length; at++) EVERY_BYTE[at] = (byte) at;
    }

    private Rows() {}

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Thirty records over three partitions, with everything that a record may have. */
    static List<ProducerRecord<byte[], byte[]>> of(String topic, String name) {
        List<ProducerRecord<byte[], byte[]>> rows = new ArrayList<>();
        for (int at = 0; at < 30; at++) {
            byte[] key = at % 4 == 0 ? null : at % 9 == 1 ? new byte[0] : bytes(name + "-key-" + at);
            byte[] value = at % 7 == 3 ? null
                : at % 7 == 5 ? new byte[0]
                : at % 11 == 1 ? EVERY_BYTE
                : bytes((name + " value " + at + " ").repeat(1 + (at % 5) * 20));
            List<Header> headers = new ArrayList<>();
            if (at % 3 == 0) {
                headers.add(new RecordHeader("name", bytes(name)));
                headers.add(new RecordHeader("name", EVERY_BYTE));
                headers.add(new RecordHeader("nothing", null));
            }
            rows.add(new ProducerRecord<>(topic, at % PARTITIONS, 1_700_000_000_000L + at, key, value, headers));
        }
        return rows;
    }

    static List<String> written(List<ProducerRecord<byte[], byte[]>> rows) {
        List<ProducerRecord<byte[], byte[]>> sorted = new ArrayList<>(rows);
        sorted.sort(Comparator.comparing(ProducerRecord::partition));
        return sorted.stream()
            .map(row -> line(row.partition(), row.timestamp(), row.key(), row.value(), row.headers()))
            .toList();
    }

    static List<String> read(List<ConsumerRecord<byte[], byte[]>> rows) {
        List<ConsumerRecord<byte[], byte[]>> sorted = new ArrayList<>(rows);
        sorted.sort(Comparator.comparing(ConsumerRecord::partition));
        return sorted.stream()
            .map(row -> line(row.partition(), row.timestamp(), row.key(), row.value(), row.headers()))
            .toList();
    }

    private static String line(int partition, long timestamp, byte[] key, byte[] value, Headers headers) {
        StringBuilder line = new StringBuilder(partition + " " + timestamp + " " + text(key) + " " + text(value));
        for (Header one : headers) line.append(' ').append(one.key()).append('=').append(text(one.value()));
        return line.toString();
    }

    private static String text(byte[] data) {
        return data == null ? "~" : Base64.getEncoder().encodeToString(data);
    }
}
