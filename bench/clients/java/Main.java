import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.Map;

/** The Java peers of the bench. The task is JSON in the first argument, the outcome JSON on the last line of the output. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        Task task = Task.parse(arguments[0]);
        Stopwatch watch = new Stopwatch();
        Done done;
        if (task.client().equals("java-tools")) {
            warmUp(task, job -> PerfTools.run(task, job, new Stopwatch()));
            done = PerfTools.run(task, task.measured(), watch);
        } else {
            try (Works works = new Works(task)) {
                warmUp(task, job -> works.run(task.work(), job, new Stopwatch()));
                done = works.run(task.work(), task.measured(), watch);
            }
        }
        Map<String, Object> outcome = new LinkedHashMap<>();
        outcome.put("records", task.measured().records());
        outcome.put("seconds", watch.seconds());
        outcome.put("cpuSeconds", watch.cpuSeconds());
        outcome.put("peakRssBytes", Stopwatch.peakRssBytes());
        outcome.put("sum", done.sum());
        if (done.latencies() != null) outcome.put("latencyMs", done.latencies().summaryMs());
        System.out.println(new ObjectMapper().writeValueAsString(outcome));
    }

    private interface Run {
        Done of(Job job) throws Exception;
    }

    private static void warmUp(Task task, Run run) throws Exception {
        long warmAt = System.nanoTime() + task.warmUpMs() * 1_000_000L;
        for (Job job : task.warmUps()) {
            run.of(job);
            if (System.nanoTime() >= warmAt) break;
        }
    }
}
