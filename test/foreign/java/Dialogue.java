import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The program's side of support/dialogue.ts. */
final class Dialogue {
    private static final int SHOWN = 3_000;
    private static final int STEP_LIMIT_S = 60;
    private final BufferedReader answers = new BufferedReader(new InputStreamReader(System.in));
    private final ExecutorService steps = Executors.newCachedThreadPool();
    private final String chosen = System.getenv("STEPS");

    interface Step {
        void take() throws Exception;
    }

    void step(int number, Step step) {
        if (chosen != null && !java.util.List.of(chosen.split(",")).contains(Integer.toString(number))) return;
        Future<?> taken = steps.submit(() -> {
            step.take();
            return null;
        });
        try {
            taken.get(STEP_LIMIT_S, TimeUnit.SECONDS);
            say("{\"step\":" + number + ",\"ok\":true}");
        } catch (TimeoutException late) {
            taken.cancel(true);
            failed(number, new Exception("not done within " + STEP_LIMIT_S + " s"));
        } catch (ExecutionException error) {
            failed(number, error.getCause());
        } catch (InterruptedException error) {
            failed(number, error);
        }
    }

    private void failed(int number, Throwable error) {
        StringWriter text = new StringWriter();
        error.printStackTrace(new PrintWriter(text));
        String shown = text.toString();
        if (shown.length() > SHOWN) shown = shown.substring(0, SHOWN);
        say("{\"step\":" + number + ",\"ok\":false,\"error\":" + quoted(shown) + "}");
    }

    /** Asks for an act on the broker; false where it cannot be acted on. */
    boolean moveLeader(String topic, int partition) throws IOException {
        return act("\"moveLeader\",\"topic\":" + quoted(topic) + ",\"partition\":" + partition);
    }

    boolean cut(String api, String topic, boolean applied) throws IOException {
        String on = topic == null ? "" : ",\"topic\":" + quoted(topic);
        return act("\"cut\",\"api\":" + quoted(api) + on + ",\"applied\":" + applied);
    }

    private synchronized boolean act(String what) throws IOException {
        say("{\"act\":" + what + "}");
        String answer = answers.readLine();
        return answer != null && answer.contains("true");
    }

    private static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < ' ') out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        }
        return out.append('"').toString();
    }
}
