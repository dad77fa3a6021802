import com.fasterxml.jackson.databind.JsonNode;

/** Some records of one topic. */
record Job(String topic, int partitions, int records, String groupId, String to) {
    static Job of(JsonNode node) {
        return new Job(
                node.get("topic").asText(),
                node.get("partitions").asInt(),
                node.get("records").asInt(),
                node.get("groupId").asText(),
                node.get("to").asText());
    }
}
