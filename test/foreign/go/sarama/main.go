// sarama through the twelve steps.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/IBM/sarama"

	. "sluice-foreign/script"
)

var (
	ctx     = context.Background()
	brokers = Bootstrap
	admin   sarama.ClusterAdmin
	main_   = Prefix + "-main"
	written []Row
)

func config(change ...func(*sarama.Config)) *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.V4_0_0_0
	c.ClientID = "foreign-sarama"
	c.Producer.Return.Successes = true
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Partitioner = sarama.NewManualPartitioner
	c.Producer.Retry.Max = 20
	c.Producer.Retry.Backoff = 50 * time.Millisecond
	c.Producer.Transaction.Retry.Backoff = 50 * time.Millisecond
	c.Metadata.Retry.Backoff = 50 * time.Millisecond
	c.Consumer.MaxWaitTime = 100 * time.Millisecond
	c.Consumer.Retry.Backoff = 50 * time.Millisecond
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Interval = 100 * time.Millisecond
	c.Consumer.Group.Heartbeat.Interval = 200 * time.Millisecond
	c.Consumer.Group.Rebalance.Retry.Backoff = 100 * time.Millisecond
	for _, one := range change {
		one(c)
	}
	return c
}

func idempotent(c *sarama.Config) {
	c.Producer.Idempotent = true
	c.Net.MaxOpenRequests = 1
}

func topic(name string, configs map[string]*string) string {
	full := Prefix + "-" + name
	Must(admin.CreateTopic(full, &sarama.TopicDetail{NumPartitions: Partitions, ReplicationFactor: -1, ConfigEntries: configs}, false))
	return full
}

func value(text string) *string { return &text }

func encoder(data []byte) sarama.Encoder {
	if data == nil {
		return nil
	}
	return sarama.ByteEncoder(data)
}

func messageOf(topic string, row Row) *sarama.ProducerMessage {
	message := &sarama.ProducerMessage{Topic: topic, Partition: row.Partition, Key: encoder(row.Key), Value: encoder(row.Value)}
	for _, header := range row.Headers {
		message.Headers = append(message.Headers, sarama.RecordHeader{Key: []byte(header.Key), Value: header.Value})
	}
	return message
}

func rowOf(message *sarama.ConsumerMessage) Row {
	row := Row{Partition: message.Partition, Key: message.Key, Value: message.Value}
	for _, header := range message.Headers {
		row.Headers = append(row.Headers, Header{Key: string(header.Key), Value: header.Value})
	}
	return row
}

func sendWith(producer sarama.SyncProducer, topic string, rows []Row) error {
	messages := make([]*sarama.ProducerMessage, len(rows))
	for at, row := range rows {
		messages[at] = messageOf(topic, row)
	}
	return producer.SendMessages(messages)
}

func send(topic string, rows []Row, change ...func(*sarama.Config)) {
	producer := Must1(sarama.NewSyncProducer(brokers, config(change...)))
	Must(sendWith(producer, topic, rows))
	Must(producer.Close())
}

// read is the topic from the start; count records, since control records are not shown.
func read(topic string, count int, change ...func(*sarama.Config)) []Row {
	consumer := Must1(sarama.NewConsumer(brokers, config(change...)))
	messages := make(chan *sarama.ConsumerMessage)
	for partition := range int32(Partitions) {
		one := Must1(consumer.ConsumePartition(topic, partition, sarama.OffsetOldest))
		go func() {
			for message := range one.Messages() {
				messages <- message
			}
		}()
		defer one.AsyncClose()
	}
	var rows []Row
	idle := time.NewTimer(20 * time.Second)
	for {
		select {
		case message := <-messages:
			rows = append(rows, rowOf(message))
			if len(rows) >= count {
				// A moment for what should not come.
				idle.Reset(300 * time.Millisecond)
			}
		case <-idle.C:
			return rows
		}
	}
}

func connect() {
	admin = Must1(sarama.NewClusterAdmin(brokers, config(func(c *sarama.Config) { c.Admin.Timeout = 15 * time.Second })))
	nodes, controller, err := admin.DescribeCluster()
	Must(err)
	OK(len(nodes) > 0 && controller >= 0, "there are nodes and a controller")
}

func create() {
	topic("main", map[string]*string{"retention.ms": value("-1")})
	Fails(admin.CreateTopic(main_, &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, false), sarama.ErrTopicAlreadyExists)
	_, listed := Must1(admin.ListTopics())[main_]
	OK(listed, "it is listed")
	described := Must1(admin.DescribeTopics([]string{main_}))
	Equal(len(described[0].Partitions), Partitions)
	for _, partition := range described[0].Partitions {
		OK(partition.Err == sarama.ErrNoError && len(partition.Isr) > 0, "it has a leader in sync")
	}
}

func produce() {
	rows := Rows("plain")
	send(main_, rows)
	written = append(written, rows...)
	keyed := topic("keyed", nil)
	var keys []Row
	for at := range 90 {
		keys = append(keys, Row{Key: fmt.Appendf(nil, "key %d", at%30), Value: fmt.Append(nil, at)})
	}
	send(keyed, keys, func(c *sarama.Config) { c.Producer.Partitioner = sarama.NewHashPartitioner })
	where := map[string]int32{}
	found := read(keyed, 90)
	Equal(len(found), 90)
	for _, row := range found {
		before, known := where[string(row.Key)]
		OK(!known || before == row.Partition, "a key has one partition")
		where[string(row.Key)] = row.Partition
	}
}

func compress() {
	for _, codec := range []sarama.CompressionCodec{
		sarama.CompressionGZIP, sarama.CompressionSnappy, sarama.CompressionLZ4, sarama.CompressionZSTD,
	} {
		rows := Rows(codec.String())
		send(main_, rows, func(c *sarama.Config) { c.Producer.Compression = codec })
		written = append(written, rows...)
	}
}

func acks() {
	for _, name := range []string{"once", "twice"} {
		rows := Rows(name)
		send(main_, rows, idempotent, func(c *sarama.Config) { c.Producer.Flush.MaxMessages = 3 })
		written = append(written, rows...)
	}
	acks := topic("acks", nil)
	for at, wanted := range []sarama.RequiredAcks{sarama.NoResponse, sarama.WaitForLocal} {
		send(acks, Numbers(at*30, 30), func(c *sarama.Config) { c.Producer.RequiredAcks = wanted })
	}
	Equal(Values(read(acks, 60)), Range(0, 60))
}

func readAll() {
	Equal(Lines(read(main_, len(written))), Lines(written))
	Equal(Lines(read(main_, len(written), func(c *sarama.Config) {
		c.Consumer.Fetch.Default = 500
		c.ChannelBufferSize = 1
	})), Lines(written))
}

func offsets() {
	timed := topic("timed", map[string]*string{"retention.ms": value("-1")})
	producer := Must1(sarama.NewSyncProducer(brokers, config()))
	for _, at := range []int64{1000, 3000, 2000} {
		message := messageOf(timed, Row{Value: fmt.Append(nil, at)})
		message.Timestamp = time.UnixMilli(at)
		_, _, err := producer.SendMessage(message)
		Must(err)
	}
	Must(producer.Close())
	client := Must1(sarama.NewClient(brokers, config()))
	at := func(time int64) int64 { return Must1(client.GetOffset(timed, 0, time)) }
	Equal(at(sarama.OffsetOldest), int64(0))
	Equal(at(sarama.OffsetNewest), int64(3))
	Equal(at(1500), int64(1))
	Equal(at(3001), int64(-1))
	consumer := Must1(sarama.NewConsumerFromClient(client))
	one := Must1(consumer.ConsumePartition(timed, 0, 2))
	Equal(string((<-one.Messages()).Value), "2000")
	Must(one.Close())
	_, err := consumer.ConsumePartition(timed, 0, 99)
	Fails(err, sarama.ErrOffsetOutOfRange)
	Must(consumer.Close())
	listed := Must1(admin.ListOffsets(map[string]map[int32]int64{timed: {0: sarama.OffsetNewest}}, nil))
	Equal(listed[timed][0].Offset, int64(3))
	Must(client.Close())
}

// member of a group in a session after the other, until it is stopped.
type member struct {
	guard    sync.Mutex
	topic    string
	seen     map[int]bool
	assigned int
	sessions int
	group    sarama.ConsumerGroup
	cancel   context.CancelFunc
	ended    chan error
}

func join(topic, group string, change ...func(*sarama.Config)) *member {
	m := &member{topic: topic, seen: map[int]bool{}, ended: make(chan error, 1)}
	m.group = Must1(sarama.NewConsumerGroup(brokers, group, config(change...)))
	within, cancel := context.WithCancel(ctx)
	m.cancel = cancel
	go func() {
		for within.Err() == nil {
			if err := m.group.Consume(within, []string{topic}, m); err != nil {
				m.ended <- err
				return
			}
		}
		m.ended <- nil
	}()
	return m
}

func (m *member) Setup(sarama.ConsumerGroupSession) error {
	m.guard.Lock()
	defer m.guard.Unlock()
	m.sessions++
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	m.count(1)
	defer m.count(-1)
	for message := range claim.Messages() {
		m.guard.Lock()
		m.seen[Values([]Row{rowOf(message)})[0]] = true
		m.guard.Unlock()
		session.MarkMessage(message, "seen")
	}
	return nil
}

func (m *member) count(change int) {
	m.guard.Lock()
	defer m.guard.Unlock()
	m.assigned += change
}

func (m *member) counts() (seen, assigned int) {
	m.guard.Lock()
	defer m.guard.Unlock()
	return len(m.seen), m.assigned
}

func (m *member) stop() {
	m.cancel()
	Must(<-m.ended)
	Must(m.group.Close())
}

func committed(group, topic string) []int64 {
	response := Must1(admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: {0, 1, 2}}))
	found := make([]int64, Partitions)
	for partition := range int32(Partitions) {
		found[partition] = response.GetBlock(topic, partition).Offset
	}
	return found
}

func group(name string, change ...func(*sarama.Config)) {
	shared := topic("shared-"+name, nil)
	send(shared, Numbers(0, 60))
	one := join(shared, shared, change...)
	Until("one reads all", func() bool { seen, _ := one.counts(); return seen == 60 })
	two := join(shared, shared, change...)
	Until("they share", func() bool {
		_, first := one.counts()
		_, second := two.counts()
		return first+second == Partitions && second > 0 && first > 0
	})
	send(shared, Numbers(60, 60))
	Until("both read all", func() bool {
		first, _ := one.counts()
		second, _ := two.counts()
		return first+second >= 120 && second >= 20
	})
	Until("the commits", func() bool { return fmt.Sprint(committed(shared, shared)) == "[40 40 40]" })
	one.stop()
	Until("two has all", func() bool { _, assigned := two.counts(); return assigned == Partitions })
	two.stop()
	send(shared, Numbers(120, 30))
	again := join(shared, shared, change...)
	Until("the rest", func() bool { seen, _ := again.counts(); return seen >= 30 })
	again.stop()
	seen, _ := again.counts()
	Equal(seen, 30)
	OK(again.seen[120] && again.seen[149], "it goes on at the commits")
}

func statics(name string) {
	shared := topic("static-"+name, nil)
	start := func(id string) *member {
		return join(shared, shared, func(c *sarama.Config) { c.Consumer.Group.InstanceId = id })
	}
	one := start("a")
	Until("one has all", func() bool { _, assigned := one.counts(); return assigned == Partitions })
	two := start("b")
	Until("they share", func() bool {
		_, first := one.counts()
		_, second := two.counts()
		return first+second == Partitions && second > 0
	})
	before := one.sessions
	two.stop()
	back := start("b")
	Until("it has its part again", func() bool { _, assigned := back.counts(); return assigned > 0 })
	Equal(one.sessions, before)
	back.stop()
	one.stop()
	removed := Must1(admin.RemoveMemberFromConsumerGroup(shared, []string{"a", "b"}))
	Equal(removed.Err, sarama.ErrNoError)
}

func transactions() {
	source, target := topic("source", nil), topic("target", nil)
	send(source, Numbers(0, 30))
	id := Prefix + "-txn"
	transactional := func(c *sarama.Config) {
		idempotent(c)
		c.Producer.Transaction.ID = id
		c.Producer.Transaction.Timeout = 30 * time.Second
	}
	producer := Must1(sarama.NewSyncProducer(brokers, config(transactional)))
	Must(producer.BeginTxn())
	Must(sendWith(producer, target, Numbers(1000, 9)))
	Must(producer.AbortTxn())
	Must(producer.BeginTxn())
	Must(sendWith(producer, target, Numbers(0, 9)))
	Must(producer.AddOffsetsToTxn(map[string][]*sarama.PartitionOffsetMetadata{source: {{Partition: 0, Offset: 7, LeaderEpoch: -1}}}, id))
	Must(producer.CommitTxn())
	Must(producer.BeginTxn())
	Must(sendWith(producer, target, Numbers(2000, 9)))
	Must(producer.AddOffsetsToTxn(map[string][]*sarama.PartitionOffsetMetadata{source: {{Partition: 1, Offset: 8, LeaderEpoch: -1}}}, id))
	Must(producer.AbortTxn())
	Equal(committed(id, source), []int64{7, -1, -1})
	// While it is open, nothing behind it is committed.
	Must(producer.BeginTxn())
	Must(sendWith(producer, target, Numbers(3000, 9)))
	send(target, Numbers(9, 9))
	readCommitted := func(c *sarama.Config) { c.Consumer.IsolationLevel = sarama.ReadCommitted }
	Equal(Values(read(target, 9, readCommitted)), Range(0, 9))
	second := Must1(sarama.NewSyncProducer(brokers, config(transactional)))
	Must(second.BeginTxn())
	Must(sendWith(second, target, Numbers(18, 9)))
	Must(second.CommitTxn())
	err := producer.CommitTxn()
	OK(err != nil, "the first one is fenced")
	producer.Close()
	Must(second.Close())
	Equal(Values(read(target, 27, readCommitted)), Range(0, 27))
	Equal(len(read(target, 54)), 54)
}

func administer() {
	shared := Prefix + "-shared-classic"
	groups := Must1(admin.DescribeConsumerGroups([]string{shared}))
	Equal(groups[0].State, "Empty")
	_, listed := Must1(admin.ListConsumerGroups())[shared]
	OK(listed, "the group is listed")
	change := map[string]map[int32]sarama.OffsetAndMetadata{shared: {0: {Offset: 3, LeaderEpoch: -1}}}
	Must1(admin.AlterConsumerGroupOffsets(shared, change, nil))
	Must(admin.DeleteConsumerGroupOffset(shared, shared, 1))
	Equal(committed(shared, shared), []int64{3, -1, 50})
	Must(admin.DeleteConsumerGroup(shared))
	_, listed = Must1(admin.ListConsumerGroups())[shared]
	OK(!listed, "the group is gone")

	Must(admin.CreatePartitions(shared, 5, nil, false))
	Until("five partitions", func() bool { return len(Must1(admin.DescribeTopics([]string{shared}))[0].Partitions) == 5 })
	described := func(name string) string {
		entries := Must1(admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: shared, ConfigNames: []string{name}}))
		Equal(len(entries), 1)
		return entries[0].Value
	}
	Must(admin.AlterConfig(sarama.TopicResource, shared, map[string]*string{"retention.ms": value("123456")}, false))
	Until("the config", func() bool { return described("retention.ms") == "123456" })
	Equal(described("cleanup.policy"), "delete")
	Must(admin.IncrementalAlterConfig(sarama.TopicResource, shared, map[string]sarama.IncrementalAlterConfigsEntry{
		"retention.ms": {Operation: sarama.IncrementalAlterConfigsOperationDelete},
	}, false))
	Until("no more of it", func() bool { return described("retention.ms") != "123456" })
	nodes, _, err := admin.DescribeCluster()
	Must(err)
	node := sarama.ConfigResource{Type: sarama.BrokerResource, Name: fmt.Sprint(nodes[0].ID())}
	OK(len(Must1(admin.DescribeConfig(node))) > 10, "a node has configs")
	Must(admin.DeleteRecords(main_, map[int32]int64{0: 10}))
	client := Must1(sarama.NewClient(brokers, config()))
	Equal(Must1(client.GetOffset(main_, 0, sarama.OffsetOldest)), int64(10))
	Must(client.Close())
	OK(len(Must1(admin.DescribeLogDirs([]int32{nodes[0].ID()}))) > 0, "nodes have log directories")
	Must1(admin.ListPartitionReassignments(main_, []int32{0}))
	_, err = admin.ListAcls(sarama.AclFilter{ResourceType: sarama.AclResourceAny, ResourcePatternTypeFilter: sarama.AclPatternAny, Operation: sarama.AclOperationAny, PermissionType: sarama.AclPermissionAny})
	Fails(err, sarama.ErrSecurityDisabled)
	Must(admin.DeleteTopic(shared))
	Fails(admin.DeleteTopic(shared), sarama.ErrUnknownTopicOrPartition)
}

func failures() {
	few := func(c *sarama.Config) {
		c.Producer.Retry.Max = 1
		c.Metadata.Retry.Max = 1
		c.Metadata.AllowAutoTopicCreation = false
	}
	nowhere := Must1(sarama.NewSyncProducer(brokers, config(few)))
	_, _, err := nowhere.SendMessage(messageOf(Prefix+"-nowhere", Row{Value: []byte("x")}))
	Fails(err, sarama.ErrUnknownTopicOrPartition)
	Must(nowhere.Close())
	small := topic("small", map[string]*string{"max.message.bytes": value("1000")})
	producer := Must1(sarama.NewSyncProducer(brokers, config(idempotent)))
	_, _, err = producer.SendMessage(messageOf(small, Row{Value: make([]byte, 5000)}))
	Fails(err, sarama.ErrMessageSizeTooLarge)
	cut := topic("cut", nil)
	next := 0
	one := func() {
		_, _, err := producer.SendMessage(messageOf(cut, Row{Value: fmt.Append(nil, next)}))
		Must(err)
		next++
	}
	one()
	Cut("Produce", cut, false)
	one()
	Cut("Produce", cut, true)
	one()
	MoveLeader(cut, 0)
	one()
	consumer := Must1(sarama.NewConsumer(brokers, config()))
	reading := Must1(consumer.ConsumePartition(cut, 0, sarama.OffsetOldest))
	for at := range 5 {
		if at == 4 {
			Cut("Fetch", "", false)
			MoveLeader(cut, 0)
			one()
		}
		select {
		case message := <-reading.Messages():
			Equal(string(message.Value), fmt.Sprint(at))
		case <-time.After(20 * time.Second):
			panic(errors.New("the next record did not come"))
		}
	}
	Must(reading.Close())
	Must(consumer.Close())
	Must(producer.Close())
	Must(admin.Close())
}

func main() {
	Step(1, connect)
	Step(2, create)
	Step(3, produce)
	Step(4, compress)
	Step(5, acks)
	Step(6, readAll)
	Step(7, offsets)
	Step(8, func() {
		group("classic")
		statics("classic")
	})
	Step(9, func() {
		group("cooperative", func(c *sarama.Config) {
			c.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategyCooperativeSticky()}
		})
	})
	Step(10, transactions)
	Step(11, administer)
	Step(12, failures)
	os.Exit(0)
}
