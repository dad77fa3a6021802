import java.util.Arrays;
import java.util.Map;

/** Durations of one job and their percentiles. */
final class Latencies {
    private final long[] ns;
    private int count;

    Latencies(int most) {
        ns = new long[most];
    }

    void add(long tookNs) {
        ns[count++] = tookNs;
    }

    Map<String, Double> summaryMs() {
        Arrays.sort(ns, 0, count);
        return Map.of("p50", at(0.5), "p99", at(0.99), "p999", at(0.999));
    }

    private double at(double share) {
        return ns[Math.min(count - 1, (int) (count * share))] / 1e6;
    }
}
