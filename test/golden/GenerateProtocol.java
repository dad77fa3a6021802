// Writes test/golden/protocol/*.json: messages that Kafka's own classes serialized, with the values in them as Kafka's own JSON converters print
// them, for every API and version that src/core/protocol has a table of. Values are the same in every run.
//
//   java -cp 'path/to/kafka/libs/*' test/golden/GenerateProtocol.java test/golden/protocol
//
// One file per API, one case per line: {"message", "version", "case", "hex", "value"}. Cases: `defaults` (nothing set), `full` (everything set, tagged
// fields too), `nulls` (null wherever the version allows it), `unknownTags` (as full, with tags that nobody knows in every struct).

import com.fasterxml.jackson.databind.JsonNode;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;

public class GenerateProtocol {
    private static final short[][] APIS = {
        // key, lowest and highest version
        {0, 3, 13}, {1, 4, 17}, {2, 1, 11}, {3, 0, 13}, {8, 2, 10}, {9, 1, 10}, {10, 0, 6}, {11, 0, 9}, {12, 0, 4}, {13, 0, 5}, {14, 0, 5},
        {15, 0, 6}, {16, 0, 5}, {17, 0, 1}, {18, 0, 4}, {19, 2, 7}, {20, 1, 6}, {21, 0, 2}, {22, 0, 5}, {23, 2, 4}, {24, 0, 5}, {25, 0, 4},
        {26, 0, 5}, {27, 1, 2}, {28, 0, 5}, {29, 1, 3}, {30, 1, 3}, {31, 1, 3}, {32, 1, 4}, {34, 1, 2}, {35, 1, 5}, {36, 0, 2}, {37, 0, 3}, {42, 0, 2},
        {43, 0, 2}, {44, 0, 1}, {45, 0, 1}, {46, 0, 0}, {47, 0, 0}, {48, 0, 1}, {49, 0, 1}, {50, 0, 0}, {51, 0, 0}, {55, 0, 2}, {57, 0, 2}, {60, 0, 2},
        {61, 0, 0}, {65, 0, 0}, {66, 0, 2}, {68, 0, 1}, {69, 0, 1},
    };
    /** Those that only the broker in the box has a table of. */
    private static final short[][] BOX_APIS = {
        {33, 0, 2}, {75, 0, 0},
    };
    private static final String[] CASES = {"defaults", "full", "nulls", "unknownTags"};
    private static final String PACKAGE = "org.apache.kafka.common.message.";

    private final String variant;
    private final short version;
    private final Random random;

    private GenerateProtocol(String variant, short version, long seed) {
        this.variant = variant;
        this.version = version;
        this.random = new Random(seed);
    }

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        Files.createDirectories(folder);
        List<String> headers = new ArrayList<>();
        for (short[] api : APIS) {
            writeApi(folder, api);
            for (short version = api[1]; version <= api[2]; version++) headers.add(header(ApiKeys.forId(api[0]), version));
        }
        for (short[] api : BOX_APIS) writeApi(folder, api);
        write(folder.resolve("headers.json"), headers);
        List<String> consumer = new ArrayList<>();
        for (short version = 0; version <= 3; version++) {
            for (String name : new String[] {"ConsumerProtocolSubscription", "ConsumerProtocolAssignment"}) {
                Schema[] schemas = (Schema[]) Class.forName(PACKAGE + name).getField("SCHEMAS").get(null);
                consumer.addAll(cases(name, schemas[version], version));
            }
        }
        write(folder.resolve("consumer-protocol.json"), consumer);
        List<String> errors = new ArrayList<>();
        for (Errors error : Errors.values()) {
            boolean retriable = error.exception() instanceof org.apache.kafka.common.errors.RetriableException;
            errors.add(String.format("{\"code\":%d,\"name\":\"%s\",\"retriable\":%b}", error.code(), error.name(), retriable));
        }
        write(folder.resolve("error-codes.json"), errors);
    }

    private static void writeApi(Path folder, short[] api) throws Exception {
        ApiMessageType type = ApiMessageType.fromApiKey(api[0]);
        String name = type.name;
        List<String> lines = new ArrayList<>();
        for (short version = api[1]; version <= api[2]; version++) {
            lines.addAll(cases(name + "Request", type.requestSchemas()[version], version));
            lines.addAll(cases(name + "Response", type.responseSchemas()[version], version));
        }
        String file = String.format("%02d-%s.json", api[0], name.replaceAll("([a-z])([A-Z])", "$1-$2").toLowerCase());
        write(folder.resolve(file), lines);
    }

    private static void write(Path path, List<String> lines) throws Exception {
        Files.writeString(path, "[\n" + String.join(",\n", lines) + "\n]\n");
    }

    private static String header(ApiKeys key, short version) throws Exception {
        short requestVersion = key.requestHeaderVersion(version);
        short responseVersion = key.responseHeaderVersion(version);
        RequestHeaderData request = new RequestHeaderData()
            .setRequestApiKey(key.id).setRequestApiVersion(version).setCorrelationId(0x01020304).setClientId(version % 2 == 0 ? "cl\u00efent" : null);
        ResponseHeaderData response = new ResponseHeaderData().setCorrelationId(0x01020304);
        return String.format("{\"apiKey\":%d,\"version\":%d,\"request\":\"%s\",\"response\":\"%s\"}",
            key.id, version, hex(request, requestVersion), hex(response, responseVersion));
    }

    private static List<String> cases(String name, Schema schema, short version) throws Exception {
        List<String> lines = new ArrayList<>();
        boolean data = name.startsWith("ConsumerProtocol");
        Class<?> type = Class.forName(PACKAGE + name + (data ? "" : "Data"));
        Method toJson = Class.forName(PACKAGE + name + (data ? "" : "Data") + "JsonConverter").getMethod("write", type, short.class);
        for (String variant : CASES) {
            boolean flexible = isFlexible(schema);
            if (variant.equals("unknownTags") && !flexible) continue;
            long seed = name.hashCode() * 31L + version;
            Message message = (Message) new GenerateProtocol(variant, version, seed).struct(type, schema, 0);
            JsonNode value = (JsonNode) toJson.invoke(null, message, version);
            lines.add(String.format("{\"message\":\"%s\",\"version\":%d,\"case\":\"%s\",\"hex\":\"%s\",\"value\":%s}",
                name, version, variant, hex(message, version), value));
        }
        return lines;
    }

    private static boolean isFlexible(Schema schema) {
        BoundField[] fields = schema.fields();
        return fields.length > 0 && fields[fields.length - 1].def.type instanceof TaggedFields;
    }

    private static String hex(Message message, short version) {
        ByteBuffer buffer = MessageUtil.toByteBufferAccessor(message, version).buffer();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    private Object struct(Class<?> type, Schema schema, int depth) throws Exception {
        Object value = type.getConstructor().newInstance();
        if (variant.equals("defaults")) return value;
        for (BoundField bound : schema.fields()) {
            if (bound.def.type instanceof TaggedFields) {
                if (variant.equals("nulls")) continue;
                for (Map.Entry<Integer, Field> tag : ((TaggedFields) bound.def.type).fields().entrySet()) set(value, tag.getValue(), depth);
            } else {
                set(value, bound.def, depth);
            }
        }
        if (variant.equals("unknownTags") && isFlexible(schema)) {
            List<RawTaggedField> unknown = ((Message) value).unknownTaggedFields();
            unknown.add(new RawTaggedField(77, new byte[] {1, 2, 3}));
            unknown.add(new RawTaggedField(1_000_000, new byte[0]));
        }
        return value;
    }

    private void set(Object target, Field field, int depth) throws Exception {
        Method setter = setter(target.getClass(), field.name);
        setter.invoke(target, value(field.type, setter, depth));
    }

    private static Method setter(Class<?> type, String snake) {
        StringBuilder name = new StringBuilder("set");
        for (String part : snake.split("_")) name.append(part);
        for (Method method : type.getMethods()) {
            if (method.getName().equalsIgnoreCase(name.toString())) return method;
        }
        throw new IllegalStateException(type + " has no " + name);
    }

    private Object value(Type type, Method setter, int depth) throws Exception {
        if (variant.equals("nulls") && type.isNullable()) return null;
        if (type instanceof Schema) return struct(setter.getParameterTypes()[0], (Schema) type, depth + 1);
        Type element = type.arrayElementType().orElse(null);
        return element == null ? scalar(type, setter) : array(element, setter, depth);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private Object array(Type element, Method setter, int depth) throws Exception {
        Class<?> container = setter.getParameterTypes()[0];
        Collection list = container == List.class ? new ArrayList<>() : (Collection) container.getConstructor().newInstance();
        int count = depth == 0 ? 2 : 1 + random.nextInt(2);
        for (int i = 0; i < count; i++) {
            list.add(element instanceof Schema ? struct(elementClass(setter), (Schema) element, depth + 1) : scalar(element, null));
        }
        return list;
    }

    private static Class<?> elementClass(Method setter) throws Exception {
        java.lang.reflect.Type generic = setter.getGenericParameterTypes()[0];
        if (generic instanceof java.lang.reflect.ParameterizedType) {
            return (Class<?>) ((java.lang.reflect.ParameterizedType) generic).getActualTypeArguments()[0];
        }
        return (Class<?>) ((java.lang.reflect.ParameterizedType) ((Class<?>) generic).getGenericSuperclass()).getActualTypeArguments()[0];
    }

    private Object scalar(Type type, Method setter) {
        String name = ((Type.DocumentedType) type).typeName();
        switch (name) {
            case "BOOLEAN": return random.nextBoolean();
            case "INT8": return (byte) random.nextInt();
            case "INT16": return (short) random.nextInt();
            case "UINT16": return random.nextInt(65536);
            case "INT32": return random.nextInt();
            case "UINT32": return random.nextInt() & 0xffffffffL;
            // Inside what a JavaScript number holds exactly, which is what the tables ask of offsets.
            case "INT64": return random.nextLong() >> 11;
            case "FLOAT64": return random.nextInt() / 8.0;
            case "UUID": return new Uuid(random.nextLong(), random.nextLong());
            case "RECORDS":
            case "COMPACT_RECORDS":
            case "NULLABLE_RECORDS":
            case "COMPACT_NULLABLE_RECORDS":
                return org.apache.kafka.common.record.internal.MemoryRecords.readableRecords(ByteBuffer.wrap(bytes(70)));
            default:
        }
        if (name.endsWith("STRING")) return string();
        if (name.endsWith("BYTES")) {
            byte[] bytes = bytes(random.nextInt(6));
            return setter.getParameterTypes()[0] == ByteBuffer.class ? ByteBuffer.wrap(bytes) : bytes;
        }
        throw new IllegalStateException("type " + name);
    }

    private byte[] bytes(int size) {
        byte[] bytes = new byte[size];
        random.nextBytes(bytes);
        return bytes;
    }

    private String string() {
        String[] words = {"", "a", "orders", "pr\u00efc\u00e9", "\u540d\u524d", "\ud83d\ude80", "x".repeat(130), "a-word-of-more-than-sixteen", "h:9092"};
        return words[random.nextInt(words.length)] + (random.nextInt(3) == 0 ? "" : random.nextInt(100));
    }
}
