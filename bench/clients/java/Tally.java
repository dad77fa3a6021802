/** What every client does per record it reads: weigh it, and keep every other one. */
final class Tally {
    private final int records;
    private final Stopwatch watch;
    private int seen;
    private long sum;
    private int kept;

    Tally(int records, Stopwatch watch) {
        this.records = records;
        this.watch = watch;
    }

    void add(byte[] value) {
        if (seen == 0) watch.start();
        sum += Values.weight(value);
        if ((value[0] & 1) == 0) kept++;
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
