import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;

/** What the bench tells a client. */
record Task(
        String client,
        String brokers,
        String work,
        int lingerMs,
        int valueBytes,
        int recordsPerSecond,
        List<Job> warmUps,
        int warmUpMs,
        Job measured) {
    static Task parse(String json) throws Exception {
        JsonNode node = new ObjectMapper().readTree(json);
        List<String> brokers = new ArrayList<>();
        node.get("brokers").forEach(broker -> brokers.add(broker.asText()));
        List<Job> warmUps = new ArrayList<>();
        node.get("warmUps").forEach(job -> warmUps.add(Job.of(job)));
        return new Task(
                node.get("client").asText(),
                String.join(",", brokers),
                node.get("work").asText(),
                node.path("lingerMs").asInt(0),
                node.get("valueBytes").asInt(),
                node.get("recordsPerSecond").asInt(),
                warmUps,
                node.get("warmUpMs").asInt(),
                Job.of(node.get("measured")));
    }
}
