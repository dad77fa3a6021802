import java.util.Collection;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.common.TopicPartition;

/** What every client does per record it reads: weigh it, and keep every other one. */
final class Tally implements ConsumerRebalanceListener {
    private final int records;
    private final Stopwatch watch;
    private int seen;
    private long sum;
    private int kept;
    private boolean begun;

    Tally(int records, Stopwatch watch) {
        this.records = records;
        this.watch = watch;
    }

    /** The clock runs from the first assignment. */
    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        if (begun) return;
        begun = true;
        watch.start();
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {}

    void add(byte[] value) {
        sum += Values.weight(value);
        if ((value[value.length >> 1] & 1) == 0) kept++;
        if (++seen == records) watch.stop();
    }

    boolean complete() {
        return seen >= records;
    }

    Done done() {
        if (kept == 0) throw new IllegalStateException("nothing was kept");
        return Done.of(sum);
    }
}
