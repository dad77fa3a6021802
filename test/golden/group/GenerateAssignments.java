// Writes test/golden/group/assignments.json: what Kafka's own server-side assignors (KIP-848) make of random groups whose members, subscriptions
// and topics change from round to round, each round building on the assignment of the one before. The same in every run.
//
//   java -cp 'path/to/kafka/libs/*' test/golden/group/GenerateAssignments.java test/golden/group/assignments.json
//
// One line per group: its topics (name and id), and its rounds: partitions by topic, members [id, instance id or null, places of their topics],
// and by assignor and member what is assigned: partitions by the topic's place, in the order in which Kafka keeps them.

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.GroupCoordinatorRecordHelpers;
import org.apache.kafka.coordinator.group.api.assignor.ConsumerGroupPartitionAssignor;
import org.apache.kafka.coordinator.group.api.assignor.SubscribedTopicDescriber;
import org.apache.kafka.coordinator.group.api.assignor.SubscriptionType;
import org.apache.kafka.coordinator.group.assignor.RangeAssignor;
import org.apache.kafka.coordinator.group.assignor.UniformAssignor;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupTargetAssignmentMemberValue;
import org.apache.kafka.coordinator.group.modern.Assignment;
import org.apache.kafka.coordinator.group.modern.GroupSpecImpl;
import org.apache.kafka.coordinator.group.modern.MemberSubscriptionAndAssignmentImpl;

public class GenerateAssignments {
    private static final int GROUPS = 90;
    private static final int ROUNDS = 6;

    private record Topic(String name, Uuid id) { }

    private record Member(String id, String instanceId, Set<Integer> topics) { }

    private final Random random;
    private final List<Topic> topics = new ArrayList<>();
    private final Map<Integer, Integer> partitions = new TreeMap<>();
    private final List<Member> members = new ArrayList<>();
    private final Map<String, Map<String, Assignment>> targets = new LinkedHashMap<>();
    private final boolean alike;

    private GenerateAssignments(long seed) {
        random = new Random(seed);
        alike = random.nextInt(3) > 0;
        int count = 1 + random.nextInt(6);
        for (int at = 0; at < count; at++) {
            topics.add(new Topic("topic-" + random.nextInt(1000) + "-" + at, new Uuid(random.nextLong(), random.nextLong())));
            partitions.put(at, 1 + random.nextInt(random.nextInt(8) == 0 ? 120 : 12));
        }
        targets.put("uniform", new HashMap<>());
        targets.put("range", new HashMap<>());
    }

    public static void main(String[] args) throws Exception {
        List<String> lines = new ArrayList<>();
        for (int seed = 0; seed < GROUPS; seed++) lines.add(new GenerateAssignments(seed).play());
        Files.writeString(Path.of(args[0]), "[\n" + String.join(",\n", lines) + "\n]\n");
    }

    private String play() {
        List<String> rounds = new ArrayList<>();
        Set<Integer> common = someTopics();
        for (int round = 0; round < ROUNDS; round++) {
            if (alike && random.nextInt(4) == 0) {
                Set<Integer> next = someTopics();
                common = next;
                members.replaceAll(member -> new Member(member.id, member.instanceId, next));
            }
            change(common);
            rounds.add(round());
        }
        String described = topics.stream().map(topic -> String.format("[\"%s\",\"%s\"]", topic.name, topic.id)).collect(Collectors.joining(","));
        return String.format("{\"topics\":[%s],\"rounds\":[%s]}", described, String.join(",", rounds));
    }

    private void change(Set<Integer> common) {
        int leaving = members.isEmpty() ? 0 : random.nextInt(Math.min(4, members.size()));
        for (int count = 0; count < leaving; count++) {
            Member gone = members.remove(random.nextInt(members.size()));
            targets.values().forEach(target -> target.remove(gone.id));
        }
        int joining = members.isEmpty() ? 1 + random.nextInt(8) : random.nextInt(4);
        for (int count = 0; count < joining; count++) {
            String id = new Uuid(random.nextLong(), random.nextLong()).toString();
            String instanceId = random.nextInt(4) == 0 ? "instance-" + random.nextInt(10000) : null;
            members.add(new Member(id, instanceId, alike ? common : someTopics()));
        }
        if (!alike && random.nextInt(3) == 0) {
            int place = random.nextInt(members.size());
            Member old = members.get(place);
            members.set(place, new Member(old.id, old.instanceId, someTopics()));
        }
        if (random.nextInt(4) == 0) partitions.computeIfPresent(random.nextInt(topics.size()), (topic, count) -> count + 1 + random.nextInt(5));
    }

    private Set<Integer> someTopics() {
        Set<Integer> some = new LinkedHashSet<>();
        for (int at = 0; at < topics.size(); at++) if (random.nextInt(3) > 0) some.add(at);
        if (some.isEmpty()) some.add(random.nextInt(topics.size()));
        return some;
    }

    private String round() {
        boolean homogeneous = members.stream().map(Member::topics).distinct().count() <= 1;
        String described = members.stream().map(member -> String.format("[\"%s\",%s,%s]", member.id,
            member.instanceId == null ? "null" : "\"" + member.instanceId + "\"", member.topics.toString().replace(" ", ""))).collect(Collectors.joining(","));
        List<String> results = new ArrayList<>();
        for (ConsumerGroupPartitionAssignor assignor : List.of(new UniformAssignor(), new RangeAssignor())) {
            results.add(String.format("\"%s\":{%s}", assignor.name(), assign(assignor, homogeneous)));
        }
        return String.format("{\"partitions\":%s,\"members\":[%s],%s}", partitions.values().toString().replace(" ", ""), described, String.join(",", results));
    }

    private String assign(ConsumerGroupPartitionAssignor assignor, boolean homogeneous) {
        Map<String, Assignment> target = targets.get(assignor.name());
        Map<String, MemberSubscriptionAndAssignmentImpl> specs = new HashMap<>();
        Map<Uuid, Map<Integer, String>> inverted = new HashMap<>();
        for (Member member : members) {
            Assignment current = target.getOrDefault(member.id, Assignment.EMPTY);
            Set<String> names = new HashSet<>(member.topics.stream().map(at -> topics.get(at).name).toList());
            Set<Uuid> ids = names.stream().map(this::idOf).collect(Collectors.toCollection(LinkedHashSet::new));
            specs.put(member.id, new MemberSubscriptionAndAssignmentImpl(Optional.empty(), Optional.ofNullable(member.instanceId), ids, current));
            current.partitions().forEach((topic, held) -> held.forEach(partition ->
                inverted.computeIfAbsent(topic, key -> new HashMap<>()).put(partition, member.id)));
        }
        SubscriptionType type = homogeneous ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS;
        var made = assignor.assign(new GroupSpecImpl(Collections.unmodifiableMap(specs), type, inverted), new Describer()).members();
        for (Member member : members) {
            Assignment assigned = made.containsKey(member.id) ? new Assignment(made.get(member.id).partitions()) : Assignment.EMPTY;
            if (assigned.equals(target.get(member.id))) continue;
            var value = GroupCoordinatorRecordHelpers.newConsumerGroupTargetAssignmentRecord("g", member.id, assigned.partitions()).value().message();
            target.put(member.id, Assignment.fromRecord((ConsumerGroupTargetAssignmentMemberValue) value));
        }
        return members.stream().map(member -> String.format("\"%s\":[%s]", member.id, describe(target.get(member.id)))).collect(Collectors.joining(","));
    }

    private String describe(Assignment assignment) {
        return assignment.partitions().entrySet().stream()
            .map(entry -> String.format("[%d,%s]", placeOf(entry.getKey()), new ArrayList<>(entry.getValue()).toString().replace(" ", "")))
            .collect(Collectors.joining(","));
    }

    private Uuid idOf(String name) {
        return topics.stream().filter(topic -> topic.name.equals(name)).findFirst().orElseThrow().id;
    }

    private int placeOf(Uuid id) {
        for (int at = 0; at < topics.size(); at++) if (topics.get(at).id.equals(id)) return at;
        throw new IllegalStateException();
    }

    private class Describer implements SubscribedTopicDescriber {
        @Override
        public int numPartitions(Uuid topicId) {
            return partitions.get(placeOf(topicId));
        }

        @Override
        public Set<String> racksForPartition(Uuid topicId, int partition) {
            return Set.of();
        }
    }
}
