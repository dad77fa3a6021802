// What Java's own client does with groups, by either protocol, written down line by line. The lines are the same on every broker.
//
//   java -cp 'path/to/kafka/libs/*' GroupScript.java <bootstrap> <classic|consumer>

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class GroupScript {
    private static final int PARTITIONS = 6;
    private static final long LIMIT_MS = 60_000;

    private final String bootstrap;
    private final String protocol;
    private final String topic;
    private final String group;
    private final List<String> read = new ArrayList<>();

    private GroupScript(String bootstrap, String protocol) {
        this.bootstrap = bootstrap;
        this.protocol = protocol;
        this.topic = "script-" + protocol;
        this.group = "group-" + protocol;
    }

    public static void main(String[] args) throws Exception {
        GroupScript script = new GroupScript(args[0], args[1]);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
            script.run(admin);
        }
    }

    private void run(Admin admin) throws Exception {
        admin.createTopics(List.of(new NewTopic(topic, PARTITIONS, (short) 1), new NewTopic(topic + "-more", 1, (short) 1))).all().get();
        produce(60);
        pair(admin);
        statics();
        if (protocol.equals("consumer")) {
            pattern(admin);
            mixed(admin);
        }
        administer(admin);
    }

    /** Two members share the partitions, one goes, the other reads on. */
    private void pair(Admin admin) throws Exception {
        try (KafkaConsumer<String, String> one = consumer(group, protocol, Map.of())) {
            one.subscribe(List.of(topic));
            until(() -> read.size() == 60 && one.assignment().size() == PARTITIONS, one);
            one.commitSync();
            say("alone", one.assignment().size() + " partitions, " + read.size() + " records");
            try (KafkaConsumer<String, String> two = consumer(group, protocol, Map.of())) {
                two.subscribe(List.of(topic));
                until(() -> one.assignment().size() == 3 && two.assignment().size() == 3, one, two);
                produce(30);
                until(() -> read.size() == 90, one, two);
                one.commitSync();
                two.commitSync();
                say("together", one.assignment().size() + " and " + two.assignment().size() + ", " + read.size() + " records");
                say("described", describe(admin, group));
            }
            until(() -> one.assignment().size() == PARTITIONS, one);
            say("alone again", one.assignment().size() + " partitions, " + read.stream().distinct().count() + " different records");
            Set<TopicPartition> all = one.assignment();
            long committed = one.committed(all).values().stream().mapToLong(OffsetAndMetadata::offset).sum();
            say("committed", String.valueOf(committed));
        }
    }

    /** A static member comes back within its session and finds its partitions, while the other one keeps its own. */
    private void statics() {
        String name = group + "-static";
        read.clear();
        try (KafkaConsumer<String, String> one = consumer(name, protocol, Map.of("group.instance.id", "one"))) {
            one.subscribe(List.of(topic));
            Set<TopicPartition> before;
            Set<TopicPartition> kept;
            try (KafkaConsumer<String, String> two = consumer(name, protocol, Map.of("group.instance.id", "two"))) {
                two.subscribe(List.of(topic));
                until(() -> one.assignment().size() == 3 && two.assignment().size() == 3, one, two);
                before = Set.copyOf(two.assignment());
                kept = Set.copyOf(one.assignment());
            }
            try (KafkaConsumer<String, String> again = consumer(name, protocol, Map.of("group.instance.id", "two"))) {
                again.subscribe(List.of(topic));
                until(() -> again.assignment().size() == 3, one, again);
                say("static", "came back to the same: " + before.equals(again.assignment()) + ", the other kept its own: " + kept.equals(one.assignment()));
            }
        }
    }

    /** Topics by regular expression, one of which comes later. */
    private void pattern(Admin admin) throws Exception {
        try (KafkaConsumer<String, String> one = consumer(group + "-pattern", protocol, Map.of())) {
            one.subscribe(new SubscriptionPattern("script-consumer(-m[a-z]{3})?"));
            until(() -> one.assignment().size() == PARTITIONS + 1, one);
            say("pattern", topics(one.assignment()));
        }
        try (KafkaConsumer<String, String> one = consumer(group + "-wrong", protocol, Map.of())) {
            one.subscribe(new SubscriptionPattern("(script"));
            try {
                until(() -> false, one);
            } catch (RuntimeException error) {
                say("wrong pattern", error.getClass().getSimpleName());
            }
        }
    }

    /** Members of both protocols in one group. */
    private void mixed(Admin admin) throws Exception {
        String name = group + "-mixed";
        read.clear();
        try (KafkaConsumer<String, String> old = consumer(name, "classic", Map.of())) {
            old.subscribe(List.of(topic));
            until(() -> old.assignment().size() == PARTITIONS, old);
            say("before", describe(admin, name));
            try (KafkaConsumer<String, String> young = consumer(name, "consumer", Map.of())) {
                young.subscribe(List.of(topic));
                until(() -> old.assignment().size() == 3 && young.assignment().size() == 3, old, young);
                old.commitSync();
                young.commitSync();
                say("upgraded", describe(admin, name));
            }
            until(() -> old.assignment().size() == PARTITIONS, old);
            old.commitSync();
            say("downgraded", describe(admin, name));
        }
    }

    private void administer(Admin admin) throws Exception {
        say("listed", admin.listGroups(new ListGroupsOptions().withTypes(Set.of(GroupType.parse(protocol)))).all().get().stream()
            .filter(listed -> listed.groupId().equals(group)).map(listed -> listed.type() + " " + listed.groupState().orElseThrow() + " " + listed.protocol())
            .collect(Collectors.joining()));
        TopicPartition first = new TopicPartition(topic, 0);
        admin.alterConsumerGroupOffsets(group, Map.of(first, new OffsetAndMetadata(2, "by hand"))).all().get();
        OffsetAndMetadata altered = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(first);
        say("altered", altered.offset() + " " + altered.metadata());
        admin.deleteConsumerGroupOffsets(group, Set.of(first)).all().get();
        say("left", String.valueOf(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().size()));
        admin.deleteConsumerGroups(List.of(group)).all().get();
        try {
            admin.deleteConsumerGroups(List.of(group)).all().get();
        } catch (Exception error) {
            say("deleted", error.getCause().getClass().getSimpleName());
        }
    }

    private String describe(Admin admin, String name) throws Exception {
        var described = admin.describeConsumerGroups(List.of(name)).all().get().get(name);
        String members = described.members().stream().map(member -> member.assignment().topicPartitions().size() + (member.upgraded().orElse(false) ? " new" : ""))
            .sorted().collect(Collectors.joining(", "));
        return described.type() + " " + described.groupState() + " [" + members + "]";
    }

    private static String topics(Collection<TopicPartition> partitions) {
        return partitions.stream().collect(Collectors.groupingBy(TopicPartition::topic, TreeMap::new, Collectors.counting())).toString();
    }

    @SafeVarargs
    private void until(BooleanSupplier done, KafkaConsumer<String, String>... consumers) {
        long deadline = System.currentTimeMillis() + LIMIT_MS;
        while (!done.getAsBoolean()) {
            if (System.currentTimeMillis() > deadline) {
                throw new IllegalStateException("not reached: " + Arrays.stream(consumers).map(KafkaConsumer::assignment).toList() + ", " + read.size() + " records");
            }
            for (KafkaConsumer<String, String> consumer : consumers) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(50))) read.add(record.value());
            }
        }
    }

    private void produce(int count) {
        Map<String, Object> properties = Map.of("bootstrap.servers", bootstrap);
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
            for (int at = 0; at < count; at++) producer.send(new ProducerRecord<>(topic, at % PARTITIONS, null, count + "-" + at));
        }
    }

    private KafkaConsumer<String, String> consumer(String name, String groupProtocol, Map<String, String> more) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("group.id", name);
        properties.put("group.protocol", groupProtocol);
        properties.put("auto.offset.reset", "earliest");
        properties.put("enable.auto.commit", "false");
        properties.put("metadata.max.age.ms", "1000");
        if (groupProtocol.equals("classic")) {
            properties.put("heartbeat.interval.ms", "300");
            properties.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
        }
        properties.putAll(more);
        return new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
    }

    private static void say(String what, String value) {
        System.out.println(what + ": " + value);
    }
}
