import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.FeatureMetadata;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Java's own client through the twelve steps. */
public final class Client {
    private static final String BYTES_OUT = ByteArraySerializer.class.getName();
    private static final String BYTES_IN = ByteArrayDeserializer.class.getName();
    private static final Duration POLL = Duration.ofMillis(50);

    private final Dialogue dialogue = new Dialogue();
    private final String bootstrap;
    private final String prefix;
    private final String main;
    private final Admin admin;
    private final List<ProducerRecord<byte[], byte[]>> written = new ArrayList<>();

    private Client(String bootstrap, String prefix) {
        this.bootstrap = bootstrap;
        this.prefix = prefix;
        this.main = prefix + "-main";
        this.admin = Admin.create(config(Map.of("default.api.timeout.ms", "20000", "request.timeout.ms", "10000")));
    }

    public static void main(String[] args) {
        new Client(args[0], args[1]).play();
        System.exit(0);
    }

    private void play() {
        dialogue.step(1, this::connect);
        dialogue.step(2, this::create);
        dialogue.step(3, this::produce);
        dialogue.step(4, this::compress);
        dialogue.step(5, this::acks);
        dialogue.step(6, this::readAll);
        dialogue.step(7, this::offsets);
        dialogue.step(8, () -> {
            group("classic", Map.of("group.protocol", "classic", "heartbeat.interval.ms", "200"));
            statics("classic", Map.of("group.protocol", "classic", "heartbeat.interval.ms", "200"));
        });
        dialogue.step(9, this::newer);
        dialogue.step(10, this::transactions);
        dialogue.step(11, this::administer);
        dialogue.step(12, this::errors);
    }

    private Properties config(Map<String, ?> more) {
        Properties config = new Properties();
        config.put("bootstrap.servers", bootstrap);
        config.putAll(more);
        return config;
    }

    private Producer<byte[], byte[]> producer(Map<String, ?> more) {
        Properties config = config(Map.of(
            "key.serializer", BYTES_OUT, "value.serializer", BYTES_OUT, "linger.ms", "5",
            "retry.backoff.ms", "50", "max.block.ms", "20000"));
        config.putAll(more);
        return new KafkaProducer<>(config);
    }

    private Consumer<byte[], byte[]> consumer(Map<String, ?> more) {
        Properties config = config(Map.of(
            "key.deserializer", BYTES_IN, "value.deserializer", BYTES_IN, "auto.offset.reset", "earliest",
            "enable.auto.commit", "false", "fetch.max.wait.ms", "100", "retry.backoff.ms", "50",
            "default.api.timeout.ms", "20000"));
        config.putAll(more);
        return new KafkaConsumer<>(config);
    }

    private String topic(String name, Map<String, String> configs) throws Exception {
        String full = prefix + "-" + name;
        NewTopic topic = new NewTopic(full, Optional.of(Rows.PARTITIONS), Optional.empty()).configs(configs);
        admin.createTopics(List.of(topic)).all().get();
        return full;
    }

    private static List<TopicPartition> partitions(String topic) {
        return IntStream.range(0, Rows.PARTITIONS).mapToObj(at -> new TopicPartition(topic, at)).toList();
    }

    private void send(Map<String, ?> config, List<ProducerRecord<byte[], byte[]>> rows) throws Exception {
        try (Producer<byte[], byte[]> producer = producer(config)) {
            sendWith(producer, rows);
        }
    }

    private static void sendWith(Producer<byte[], byte[]> producer, List<ProducerRecord<byte[], byte[]>> rows)
        throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (ProducerRecord<byte[], byte[]> row : rows) sent.add(producer.send(row));
        producer.flush();
        for (Future<RecordMetadata> one : sent) one.get();
    }

    private static List<ProducerRecord<byte[], byte[]>> numbers(String topic, int from, int count) {
        List<ProducerRecord<byte[], byte[]>> rows = new ArrayList<>();
        for (int at = 0; at < count; at++)
            rows.add(new ProducerRecord<>(topic, at % Rows.PARTITIONS, null, Rows.bytes(String.valueOf(from + at))));
        return rows;
    }

    private static Integer numberOf(ConsumerRecord<byte[], byte[]> row) {
        return Integer.valueOf(new String(row.value()));
    }

    /** All of a topic up to its end. */
    private List<ConsumerRecord<byte[], byte[]>> read(String topic, Map<String, ?> more) throws Exception {
        List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
        try (Consumer<byte[], byte[]> consumer = consumer(more)) {
            List<TopicPartition> all = partitions(topic);
            consumer.assign(all);
            consumer.seekToBeginning(all);
            Map<TopicPartition, Long> ends = consumer.endOffsets(all);
            Check.until("the end of " + topic, () -> {
                consumer.poll(POLL).forEach(found::add);
                return all.stream().allMatch(one -> consumer.position(one) >= ends.get(one));
            });
        }
        return found;
    }

    private void connect() throws Exception {
        DescribeClusterResult cluster = admin.describeCluster();
        Check.ok(!cluster.clusterId().get().isEmpty(), "the cluster has an id");
        Check.ok(cluster.nodes().get().stream().anyMatch(node -> {
            try {
                return node.id() == cluster.controller().get().id();
            } catch (Exception error) {
                throw new RuntimeException(error);
            }
        }), "the controller is one of the nodes");
        FeatureMetadata features = admin.describeFeatures().featureMetadata().get();
        Check.ok(features.finalizedFeatures().containsKey("metadata.version"), "metadata.version is a feature");
    }

    private void create() throws Exception {
        topic("main", Map.of("retention.ms", "-1"));
        Check.fails(TopicExistsException.class, () -> topic("main", Map.of()));
        Check.fails(InvalidReplicationFactorException.class,
            () -> admin.createTopics(List.of(new NewTopic(prefix + "-many", 1, (short) 100))).all().get());
        Check.ok(admin.listTopics().names().get().contains(main), "it is listed");
        TopicDescription described = admin.describeTopics(List.of(main)).allTopicNames().get().get(main);
        Check.equal(described.partitions().size(), Rows.PARTITIONS);
        Check.ok(described.partitions().stream().allMatch(one ->
            one.replicas().contains(one.leader()) && one.isr().contains(one.leader())), "leaders are in sync");
        TopicDescription byId = admin.describeTopics(
            org.apache.kafka.common.TopicCollection.ofTopicIds(List.of(described.topicId())))
            .allTopicIds().get().get(described.topicId());
        Check.equal(byId.name(), main);
    }

    private void produce() throws Exception {
        List<ProducerRecord<byte[], byte[]>> rows = Rows.of(main, "plain");
        send(Map.of("enable.idempotence", "false"), rows);
        written.addAll(rows);
        String keyed = topic("keyed", Map.of());
        List<ProducerRecord<byte[], byte[]>> keys = new ArrayList<>();
        for (int at = 0; at < 90; at++)
            keys.add(new ProducerRecord<>(keyed, at % 3 == 0 ? null : Rows.bytes("key " + at % 30), Rows.bytes("v" + at)));
        send(Map.of("enable.idempotence", "false"), keys);
        Map<String, Set<Integer>> where = new HashMap<>();
        List<ConsumerRecord<byte[], byte[]>> found = read(keyed, Map.of());
        Check.equal(found.size(), 90);
        for (ConsumerRecord<byte[], byte[]> row : found)
            if (row.key() != null)
                where.computeIfAbsent(new String(row.key()), key -> new ConcurrentSkipListSet<>()).add(row.partition());
        Check.equal(where.size(), 20);
        Check.ok(where.values().stream().allMatch(some -> some.size() == 1), "a key has one partition");
    }

    private void compress() throws Exception {
        for (String codec : List.of("gzip", "snappy", "lz4", "zstd")) {
            List<ProducerRecord<byte[], byte[]>> rows = Rows.of(main, codec);
            send(Map.of("compression.type", codec), rows);
            written.addAll(rows);
        }
    }

    private void acks() throws Exception {
        for (String name : List.of("once", "twice")) {
            List<ProducerRecord<byte[], byte[]>> rows = Rows.of(main, name);
            send(Map.of("acks", "all", "linger.ms", "0", "batch.size", "200"), rows);
            written.addAll(rows);
        }
        String topic = topic("acks", Map.of());
        for (int acks = 0; acks <= 1; acks++)
            send(Map.of("acks", String.valueOf(acks), "enable.idempotence", "false"), numbers(topic, acks * 30, 30));
        Check.until("all of both", () -> read(topic, Map.of()).size() == 60);
    }

    private void readAll() throws Exception {
        Check.equal(Rows.read(read(main, Map.of())), Rows.written(written));
        List<ConsumerRecord<byte[], byte[]>> bitByBit =
            read(main, Map.of("max.partition.fetch.bytes", "500", "fetch.max.bytes", "500", "max.poll.records", "3"));
        Check.equal(Rows.read(bitByBit), Rows.written(written));
    }

    private void offsets() throws Exception {
        String topic = topic("timed", Map.of("retention.ms", "-1"));
        List<ProducerRecord<byte[], byte[]>> rows = new ArrayList<>();
        for (long time : new long[] {1_000, 3_000, 2_000})
            rows.add(new ProducerRecord<>(topic, 0, time, null, Rows.bytes("at " + time)));
        for (ProducerRecord<byte[], byte[]> row : rows) send(Map.of(), List.of(row));
        TopicPartition first = new TopicPartition(topic, 0);
        Check.equal(offset(first, OffsetSpec.earliest()).offset(), 0L);
        Check.equal(offset(first, OffsetSpec.latest()).offset(), 3L);
        Check.equal(offset(first, OffsetSpec.maxTimestamp()).offset(), 1L);
        Check.equal(offset(first, OffsetSpec.maxTimestamp()).timestamp(), 3_000L);
        Check.equal(offset(first, OffsetSpec.forTimestamp(1_500)).offset(), 1L);
        Check.equal(offset(first, OffsetSpec.forTimestamp(3_001)).offset(), -1L);
        Check.equal(offset(new TopicPartition(topic, 1), OffsetSpec.maxTimestamp()).offset(), -1L);
        try (Consumer<byte[], byte[]> consumer = consumer(Map.of())) {
            Check.equal(consumer.offsetsForTimes(Map.of(first, 2_500L)).get(first).offset(), 1L);
            Check.equal(consumer.beginningOffsets(List.of(first)).get(first), 0L);
            consumer.assign(List.of(first));
            List<String> found = new ArrayList<>();
            for (long from : new long[] {2, 0, 1}) {
                consumer.seek(first, from);
                int before = found.size();
                Check.until("what is from " + from, () -> {
                    consumer.poll(POLL).forEach(row -> found.add(new String(row.value())));
                    return found.size() >= before + 3 - from;
                });
            }
            Check.equal(found, List.of("at 2000", "at 1000", "at 3000", "at 2000", "at 3000", "at 2000"));
            consumer.seek(first, 99);
            Check.until("back to the start", () -> {
                consumer.poll(POLL).forEach(row -> found.add(new String(row.value())));
                return found.size() >= 9;
            });
        }
    }

    private ListOffsetsResultInfo offset(TopicPartition partition, OffsetSpec spec) throws Exception {
        return admin.listOffsets(Map.of(partition, spec)).partitionResult(partition).get();
    }

    /** A member of a group in a thread of its own. */
    private final class Member {
        final Set<Integer> seen = new ConcurrentSkipListSet<>();
        final Set<Integer> assigned = new ConcurrentSkipListSet<>();
        volatile int revocations;
        volatile Throwable failure;
        private volatile boolean stopping;
        private final Thread thread;

        Member(String topic, String group, Map<String, ?> more) {
            Map<String, Object> config = new HashMap<>(more);
            config.put("group.id", group);
            config.put("enable.auto.commit", "true");
            config.put("auto.commit.interval.ms", "100");
            thread = new Thread(() -> {
                try (Consumer<byte[], byte[]> consumer = consumer(config)) {
                    consumer.subscribe(List.of(topic), new ConsumerRebalanceListener() {
                        @Override
                        public void onPartitionsAssigned(Collection<TopicPartition> some) {
                            some.forEach(one -> assigned.add(one.partition()));
                        }

                        @Override
                        public void onPartitionsRevoked(Collection<TopicPartition> some) {
                            if (!some.isEmpty()) revocations++;
                            some.forEach(one -> assigned.remove(one.partition()));
                        }
                    });
                    while (!stopping) consumer.poll(POLL).forEach(row -> seen.add(numberOf(row)));
                } catch (Throwable error) {
                    failure = error;
                }
            });
            thread.start();
        }

        void stop() throws Exception {
            stopping = true;
            thread.join();
            if (failure != null) throw new Exception(failure);
        }
    }

    private Map<Integer, Long> commits(String group) throws Exception {
        Map<Integer, Long> found = new HashMap<>();
        admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get()
            .forEach((partition, offset) -> found.put(partition.partition(), offset.offset()));
        return found;
    }

    private void group(String name, Map<String, ?> config) throws Exception {
        String topic = topic("shared-" + name, Map.of());
        String group = topic;
        send(Map.of(), numbers(topic, 0, 60));
        Member one = new Member(topic, group, config);
        Check.until("one has all", () -> one.assigned.size() == 3 && one.seen.size() == 60);
        Member two = new Member(topic, group, config);
        Check.until("they share", () -> one.assigned.size() + two.assigned.size() == 3 && !two.assigned.isEmpty());
        send(Map.of(), numbers(topic, 60, 60));
        Check.until("both read all", () -> one.seen.size() + two.seen.size() >= 120);
        Check.ok(two.seen.size() >= 20, "two reads its part");
        Map<Integer, Long> all = Map.of(0, 40L, 1, 40L, 2, 40L);
        Check.until("the commits", () -> commits(group).equals(all));
        one.stop();
        Check.until("two has all", () -> two.assigned.size() == 3);
        two.stop();
        send(Map.of(), numbers(topic, 120, 30));
        Member again = new Member(topic, group, config);
        Check.until("the rest", () -> again.seen.size() >= 30);
        again.stop();
        Check.equal(again.seen.iterator().next(), 120);
        Check.equal(again.seen.size(), 30);
    }

    private void statics(String name, Map<String, ?> config) throws Exception {
        String topic = topic("static-" + name, Map.of());
        String group = topic;
        List<Map<String, Object>> configs = new ArrayList<>();
        for (String id : List.of("a", "b")) {
            Map<String, Object> own = new HashMap<>(config);
            own.put("group.instance.id", id);
            configs.add(own);
        }
        Member one = new Member(topic, group, configs.get(0));
        Check.until("one has all", () -> one.assigned.size() == 3);
        Member two = new Member(topic, group, configs.get(1));
        Check.until("they share", () -> one.assigned.size() + two.assigned.size() == 3 && !two.assigned.isEmpty());
        int before = one.revocations;
        two.stop();
        Member back = new Member(topic, group, configs.get(1));
        Check.until("it has its part again", () -> !back.assigned.isEmpty());
        Check.equal(back.assigned.size(), 3 - one.assigned.size());
        Check.equal(one.revocations, before);
        back.stop();
        one.stop();
        if (config.get("group.protocol").equals("classic")) {
            admin.removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions(
                List.of(new MemberToRemove("a"), new MemberToRemove("b")))).all().get();
            Check.until("the group is empty", () -> admin.describeConsumerGroups(List.of(group)).all().get()
                .get(group).groupState() == GroupState.EMPTY);
        }
    }

    private void newer() throws Exception {
        String sticky = "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
        group("cooperative", Map.of("group.protocol", "classic", "heartbeat.interval.ms", "200",
            "partition.assignment.strategy", sticky));
        group("range", Map.of("group.protocol", "consumer", "group.remote.assignor", "range"));
        group("uniform", Map.of("group.protocol", "consumer"));
        statics("consumer", Map.of("group.protocol", "consumer"));
        pattern();
        String group = prefix + "-shared-uniform";
        Check.equal(admin.describeConsumerGroups(List.of(group)).all().get().get(group).type().toString(), "Consumer");
    }

    /** KIP-848's patterns are matched by the broker. */
    private void pattern() throws Exception {
        String topic = topic("pattern-one", Map.of());
        send(Map.of(), numbers(topic, 0, 9));
        try (Consumer<byte[], byte[]> consumer = consumer(Map.of("group.protocol", "consumer", "group.id", topic))) {
            consumer.subscribe(new org.apache.kafka.clients.consumer.SubscriptionPattern(prefix + "-pattern-.*"));
            Set<Integer> seen = new ConcurrentSkipListSet<>();
            Check.until("the records of the pattern", () -> {
                consumer.poll(POLL).forEach(row -> seen.add(numberOf(row)));
                return seen.size() == 9;
            });
        }
    }

    private void transactions() throws Exception {
        String source = topic("source", Map.of());
        String target = topic("target", Map.of());
        String group = prefix + "-txn";
        send(Map.of(), numbers(source, 0, 30));
        Map<String, ?> config = Map.of("transactional.id", prefix + "-txn", "transaction.timeout.ms", "30000");
        Producer<byte[], byte[]> producer = producer(config);
        producer.initTransactions();
        producer.beginTransaction();
        sendWith(producer, numbers(target, 1_000, 9));
        producer.abortTransaction();
        try (Consumer<byte[], byte[]> consumer = consumer(Map.of("group.id", group))) {
            consumer.subscribe(List.of(source));
            int[] polled = {0};
            Check.until("the source", () -> (polled[0] += consumer.poll(POLL).count()) == 30);
            producer.beginTransaction();
            sendWith(producer, numbers(target, 0, 9));
            producer.sendOffsetsToTransaction(
                Map.of(new TopicPartition(source, 0), new OffsetAndMetadata(7, "seven")), consumer.groupMetadata());
            producer.commitTransaction();
            producer.beginTransaction();
            sendWith(producer, numbers(target, 9, 9));
            producer.sendOffsetsToTransaction(
                Map.of(new TopicPartition(source, 1), new OffsetAndMetadata(8)), consumer.groupMetadata());
            producer.abortTransaction();
        }
        Check.equal(commits(group), Map.of(0, 7L));
        // While it is open, committed readers see nothing of it and nothing behind it.
        producer.beginTransaction();
        sendWith(producer, numbers(target, 2_000, 9));
        send(Map.of(), numbers(target, 18, 9));
        Map<String, ?> committed = Map.of("isolation.level", "read_committed");
        Check.equal(values(read(target, committed)), IntStream.range(0, 9).boxed().toList());
        Check.equal(read(target, Map.of()).size(), 45);
        TransactionDescription open = admin.describeTransactions(List.of(prefix + "-txn")).all().get().get(prefix + "-txn");
        Check.equal(open.state().toString(), "Ongoing");
        Check.equal(open.topicPartitions().size(), 3);
        Check.ok(admin.listTransactions().all().get().stream().anyMatch(one ->
            one.transactionalId().equals(prefix + "-txn")), "the transaction is listed");
        TopicPartition first = new TopicPartition(target, 0);
        Check.equal(admin.describeProducers(List.of(first)).partitionResult(first).get().activeProducers().stream()
            .filter(one -> one.currentTransactionStartOffset().isPresent()).count(), 1L);
        try (Producer<byte[], byte[]> second = producer(config)) {
            second.initTransactions();
            second.beginTransaction();
            sendWith(second, numbers(target, 27, 9));
            second.commitTransaction();
        }
        Check.fails(ProducerFencedException.class, () -> {
            producer.commitTransaction();
            return null;
        });
        producer.close();
        List<Integer> wanted = new ArrayList<>(IntStream.range(0, 9).boxed().toList());
        IntStream.range(18, 36).forEach(wanted::add);
        Check.until("the committed", () -> values(read(target, committed)).equals(wanted));
        Check.equal(read(target, Map.of()).size(), 54);
    }

    private static List<Integer> values(List<ConsumerRecord<byte[], byte[]>> rows) {
        return rows.stream().map(Client::numberOf).sorted().toList();
    }

    private void administer() throws Exception {
        String topic = prefix + "-shared-classic";
        String group = topic;
        Check.equal(admin.describeConsumerGroups(List.of(group)).all().get().get(group).groupState(), GroupState.EMPTY);
        Check.ok(admin.listGroups().all().get().stream().anyMatch(one -> one.groupId().equals(group)), "it is listed");
        TopicPartition first = new TopicPartition(topic, 0);
        admin.alterConsumerGroupOffsets(group, Map.of(first, new OffsetAndMetadata(3))).all().get();
        admin.deleteConsumerGroupOffsets(group, Set.of(new TopicPartition(topic, 1))).all().get();
        Check.equal(commits(group), Map.of(0, 3L, 2, 50L));
        admin.deleteConsumerGroups(List.of(group)).all().get();
        Check.fails(GroupIdNotFoundException.class,
            () -> admin.describeConsumerGroups(List.of(group)).all().get());

        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all().get();
        Check.until("five partitions",
            () -> admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size() == 5);
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(
            new AlterConfigOp(new ConfigEntry("retention.ms", "123456"), AlterConfigOp.OpType.SET),
            new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.APPEND)))).all().get();
        Check.until("the configs", () -> {
            var entries = admin.describeConfigs(List.of(resource)).all().get().get(resource);
            return entries.get("retention.ms").value().equals("123456")
                && entries.get("retention.ms").source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG
                && entries.get("cleanup.policy").value().equals("delete,compact")
                && entries.get("segment.bytes").isDefault();
        });
        admin.incrementalAlterConfigs(Map.of(resource, List.of(
            new AlterConfigOp(new ConfigEntry("retention.ms", null), AlterConfigOp.OpType.DELETE)))).all().get();
        Check.until("no more of it", () -> admin.describeConfigs(List.of(resource)).all().get().get(resource)
            .get("retention.ms").source() != ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG);
        int node = admin.describeCluster().nodes().get().iterator().next().id();
        ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, String.valueOf(node));
        Check.ok(admin.describeConfigs(List.of(broker)).all().get().get(broker).entries().size() > 10, "broker configs");
        TopicPartition partition = new TopicPartition(main, 0);
        Check.equal(admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(10))).lowWatermarks()
            .get(partition).get().lowWatermark(), 10L);
        Check.equal(offset(partition, OffsetSpec.earliest()).offset(), 10L);
        Check.ok(!admin.describeLogDirs(List.of(node)).allDescriptions().get().isEmpty(), "log directories");
        admin.deleteTopics(List.of(topic)).all().get();
        Check.until("it is gone", () -> !admin.listTopics().names().get().contains(topic));
        Check.fails(UnknownTopicOrPartitionException.class, () -> admin.deleteTopics(List.of(topic)).all().get());
    }

    private void errors() throws Exception {
        try (Producer<byte[], byte[]> producer = producer(Map.of("max.block.ms", "1500"))) {
            Check.fails(Exception.class, () -> producer.send(numbers(prefix + "-nowhere", 0, 1).get(0)).get());
        }
        String small = topic("small", Map.of("max.message.bytes", "1000"));
        Check.fails(RecordTooLargeException.class, () -> {
            send(Map.of(), List.of(new ProducerRecord<>(small, new byte[5_000])));
            return null;
        });
        String topic = topic("cut", Map.of());
        try (Producer<byte[], byte[]> producer = producer(Map.of("linger.ms", "0"))) {
            producer.send(record(topic, 0)).get();
            dialogue.cut("Produce", topic, false);
            producer.send(record(topic, 1)).get();
            dialogue.cut("Produce", topic, true);
            producer.send(record(topic, 2)).get();
            dialogue.moveLeader(topic, 0);
            producer.send(record(topic, 3)).get();
            try (Consumer<byte[], byte[]> consumer = consumer(Map.of())) {
                TopicPartition first = new TopicPartition(topic, 0);
                consumer.assign(List.of(first));
                List<Integer> found = new ArrayList<>();
                Check.until("the first four", () -> {
                    consumer.poll(POLL).forEach(row -> found.add(numberOf(row)));
                    return found.size() >= 4;
                });
                dialogue.cut("Fetch", null, false);
                dialogue.moveLeader(topic, 0);
                producer.send(record(topic, 4)).get();
                Check.until("the fifth", () -> {
                    consumer.poll(POLL).forEach(row -> found.add(numberOf(row)));
                    return found.size() >= 5;
                });
                Check.equal(found, List.of(0, 1, 2, 3, 4));
            }
        }
        admin.close();
    }

    private static ProducerRecord<byte[], byte[]> record(String topic, int number) {
        return new ProducerRecord<>(topic, 0, null, Rows.bytes(String.valueOf(number)));
    }
}
