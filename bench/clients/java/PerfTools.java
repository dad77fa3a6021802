import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.tools.ConsumerPerformance;
import org.apache.kafka.tools.ProducerPerformance;

/** Kafka's own perf tools, run twice in one process; the rates are what they print. They add nothing up. */
final class PerfTools {
    private static final Pattern SENT = Pattern.compile("^\\d+ records sent, ([\\d.]+) records/sec", Pattern.MULTILINE);

    private PerfTools() {}

    static Done run(Task task, Job job, Stopwatch watch) throws Exception {
        watch.start();
        double perSecond = task.work().equals("produce") ? produce(task, job) : consume(task, job);
        watch.took(job.records() / perSecond);
        return new Done(null, null);
    }

    private static double produce(Task task, Job job) throws Exception {
        Path payload = Files.createTempFile("bench", ".txt");
        try {
            byte[][] pool = Values.pool(task.valueBytes());
            try (var out = Files.newOutputStream(payload)) {
                for (byte[] value : pool) {
                    out.write(value);
                    out.write('\n');
                }
            }
            List<String> arguments = new ArrayList<>(List.of(
                    "--topic", job.topic(),
                    "--num-records", String.valueOf(job.records()),
                    "--throughput", "-1",
                    "--payload-file", payload.toString(),
                    "--command-property"));
            Settings.producerProperties(task).forEach((name, value) -> arguments.add(name + "=" + value));
            String output = printed(() -> ProducerPerformance.main(arguments.toArray(new String[0])));
            Matcher sent = SENT.matcher(output);
            double perSecond = 0;
            while (sent.find()) perSecond = Double.parseDouble(sent.group(1));
            return perSecond;
        } finally {
            Files.delete(payload);
        }
    }

    private static double consume(Task task, Job job) throws Exception {
        String output = printed(() -> ConsumerPerformance.main(new String[] {
            "--bootstrap-server", task.brokers(),
            "--topic", job.topic(),
            "--group", job.groupId(),
            "--num-records", String.valueOf(job.records()),
            "--hide-header",
        }));
        String[] columns = output.strip().split(",\\s*");
        return Double.parseDouble(columns[columns.length - 1]);
    }

    private interface Tool {
        void run() throws Exception;
    }

    private static String printed(Tool tool) throws Exception {
        PrintStream console = System.out;
        ByteArrayOutputStream taken = new ByteArrayOutputStream();
        System.setOut(new PrintStream(taken, true));
        try {
            tool.run();
        } finally {
            System.setOut(console);
        }
        return taken.toString();
    }
}
