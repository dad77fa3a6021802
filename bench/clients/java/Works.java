import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** The works of the bench with the Java client. */
final class Works implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(100);
    private static final long TICK_NS = 1_000_000;
    /** Until everything has settled in, nothing is counted. */
    private static final double SETTLING_SHARE = 0.2;

    private final Task task;
    private final byte[][] pool;
    private final KafkaProducer<byte[], byte[]> producer;
    private final AtomicReference<Exception> failure = new AtomicReference<>();
    /** Written by the producer's only I/O thread. */
    private long acked;

    Works(Task task) {
        this.task = task;
        pool = Values.pool(task.valueBytes());
        producer = Settings.producer(task);
    }

    Done run(String work, Job job, Stopwatch watch) throws Exception {
        return switch (work) {
            case "produce" -> produce(job, watch);
            case "consume" -> consume(job, watch);
            case "pipe" -> pipe(job, watch);
            case "awaited" -> awaited(job, watch);
            case "steady" -> steady(job, watch);
            default -> throw new IllegalArgumentException("there is no work " + work);
        };
    }

    private void send(String topic, byte[] value) {
        producer.send(new ProducerRecord<>(topic, value), (metadata, error) -> {
            if (error != null) failure.set(error);
            else acked += Values.weight(value);
        });
    }

    /** Everything sent is acknowledged; the sum of it. */
    private long flushed() throws Exception {
        producer.flush();
        if (failure.get() != null) throw failure.get();
        return acked;
    }

    private Done produce(Job job, Stopwatch watch) throws Exception {
        acked = 0;
        watch.start();
        for (int at = 0; at < job.records(); at++) send(job.topic(), pool[at % pool.length]);
        long sum = flushed();
        watch.stop();
        return Done.of(sum);
    }

    private Done consume(Job job, Stopwatch watch) {
        Tally tally = new Tally(job.records(), watch);
        try (KafkaConsumer<byte[], byte[]> consumer = Settings.consumer(task, job, true)) {
            consumer.subscribe(List.of(job.topic()), tally);
            while (!tally.complete())
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) tally.add(record.value());
        }
        return tally.done();
    }

    /** At least once: what is committed is acknowledged. */
    private Done pipe(Job job, Stopwatch watch) throws Exception {
        acked = 0;
        Tally tally = new Tally(job.records(), watch);
        long nextCommitMs = System.currentTimeMillis() + Settings.COMMIT_INTERVAL_MS;
        try (KafkaConsumer<byte[], byte[]> consumer = Settings.consumer(task, job, false)) {
            consumer.subscribe(List.of(job.topic()), tally);
            while (!tally.complete()) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    tally.add(record.value());
                    send(job.to(), record.value());
                }
                if (System.currentTimeMillis() >= nextCommitMs) {
                    flushed();
                    consumer.commitSync();
                    nextCommitMs = System.currentTimeMillis() + Settings.COMMIT_INTERVAL_MS;
                }
            }
            long sum = flushed();
            watch.stop();
            consumer.commitSync();
            return Done.of(sum);
        }
    }

    private Done awaited(Job job, Stopwatch watch) throws Exception {
        Latencies latencies = new Latencies(job.records());
        long sum = 0;
        watch.start();
        for (int at = 0; at < job.records(); at++) {
            byte[] value = pool[at % pool.length];
            long sentNs = System.nanoTime();
            producer.send(new ProducerRecord<>(job.topic(), value)).get();
            latencies.add(System.nanoTime() - sentNs);
            sum += Values.weight(value);
        }
        watch.stop();
        return new Done(sum, latencies);
    }

    private Done steady(Job job, Stopwatch watch) throws Exception {
        long[] sentNs = new long[job.records()];
        CountDownLatch first = new CountDownLatch(1);
        Thread sender = new Thread(() -> sendSteadily(job, sentNs, first));
        Latencies latencies = new Latencies(job.records());
        int firstCounted = (int) (job.records() * SETTLING_SHARE);
        long sum = 0;
        int arrived = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = Settings.consumer(task, job, true)) {
            consumer.subscribe(List.of(job.topic()));
            sender.start();
            while (arrived < job.records()) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    int number = Values.numberOf(record.value());
                    if (number >= firstCounted) latencies.add(System.nanoTime() - sentNs[number]);
                    sum += Values.weight(record.value());
                    if (arrived++ == 0) {
                        watch.start();
                        first.countDown();
                    }
                }
            }
            watch.stop();
        }
        return new Done(sum, latencies);
    }

    /** Every millisecond, what is due; the first alone, until the consumer is there. */
    private void sendSteadily(Job job, long[] sentNs, CountDownLatch first) {
        send(job.topic(), Values.numbered(pool, 0));
        try {
            first.await();
        } catch (InterruptedException stopped) {
            return;
        }
        long startedNs = System.nanoTime();
        int next = 1;
        while (next < job.records()) {
            long nowNs = System.nanoTime();
            int due = (int) Math.min(job.records(), (nowNs - startedNs) / 1e9 * task.recordsPerSecond());
            for (; next < due; next++) {
                sentNs[next] = nowNs;
                send(job.topic(), Values.numbered(pool, next));
            }
            LockSupport.parkNanos(TICK_NS);
        }
    }

    @Override
    public void close() {
        producer.close();
    }
}
