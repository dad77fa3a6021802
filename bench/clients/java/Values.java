import java.util.Arrays;

/** The values of the bench, the same as in its other languages. */
final class Values {
    private static final int MOST_VALUES = 16_384;
    private static final int LEAST_VALUES = 512;
    private static final int POOL_BYTES = 8 << 20;
    private static final int FIRST_PRINTABLE = 33;
    private static final int PRINTABLES = 94;
    private static final int NUMBER_DIGITS = 8;

    private Values() {}

    static byte[][] pool(int valueBytes) {
        int seed = 20_260_101;
        byte[][] pool =
                new byte[Math.max(LEAST_VALUES, Math.min(MOST_VALUES, POOL_BYTES / valueBytes))][valueBytes];
        for (byte[] value : pool) {
            for (int at = 0; at < valueBytes; at++) {
                seed = seed * 1_664_525 + 1_013_904_223;
                value[at] = (byte) (FIRST_PRINTABLE + (seed >>> 16) % PRINTABLES);
            }
        }
        return pool;
    }

    static long weight(byte[] value) {
        int length = value.length;
        return length + value[0] * 7 + value[length >> 1] * 31 + value[length - 1] * 127;
    }

    static byte[] numbered(byte[][] pool, int number) {
        byte[] value = Arrays.copyOf(pool[number % pool.length], pool[0].length);
        int rest = number;
        for (int at = NUMBER_DIGITS - 1; at >= 0; at--) {
            value[at] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        return value;
    }

    static int numberOf(byte[] value) {
        int number = 0;
        for (int at = 0; at < NUMBER_DIGITS; at++) number = number * 10 + value[at] - '0';
        return number;
    }
}
