import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;

/** What the program checks and waits with. */
final class Check {
    private Check() {}

    static void equal(Object found, Object wanted) {
        if (!Objects.deepEquals(found, wanted))
            throw new AssertionError("found " + show(found) + ", not " + show(wanted));
    }

    static void ok(boolean holds, String what) {
        if (!holds) throw new AssertionError("not so: " + what);
    }

    /** The call fails with this error, or with one that it caused. */
    static void fails(Class<? extends Throwable> type, Callable<?> call) throws Exception {
        try {
            call.call();
        } catch (Exception error) {
            Throwable cause = error;
            while (cause != null && !type.isInstance(cause)) cause = cause.getCause();
            if (cause == null) throw new AssertionError("not a " + type.getSimpleName(), error);
            return;
        }
        throw new AssertionError("it should have failed with " + type.getSimpleName());
    }

    static void until(String what, Callable<Boolean> holds) throws Exception {
        long end = System.currentTimeMillis() + 25_000;
        while (!holds.call()) {
            if (System.currentTimeMillis() > end) throw new AssertionError(what + ": not within 25 s");
            Thread.sleep(20);
        }
    }

    private static String show(Object value) {
        return value instanceof Object[] list ? Arrays.deepToString(list) : String.valueOf(value);
    }
}
