import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** Wall clock and CPU of this process between start and stop. */
final class Stopwatch {
    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private long startedNs;
    private long cpuAtStartNs;
    private double seconds;
    private double cpuSeconds;

    void start() {
        cpuAtStartNs = SYSTEM.getProcessCpuTime();
        startedNs = System.nanoTime();
    }

    void stop() {
        seconds = (System.nanoTime() - startedNs) / 1e9;
        cpuSeconds = (SYSTEM.getProcessCpuTime() - cpuAtStartNs) / 1e9;
    }

    /** For what takes its own time. */
    void took(double measuredSeconds) {
        stop();
        seconds = measuredSeconds;
    }

    double seconds() {
        return seconds;
    }

    double cpuSeconds() {
        return cpuSeconds;
    }

    static long peakRssBytes() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status")))
            if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
        return 0;
    }
}
