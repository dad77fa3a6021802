// franz-go through the twelve steps.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	. "sluice-foreign/script"
)

var (
	ctx     = context.Background()
	admin   = kadm.NewClient(client())
	main_   = Prefix + "-main"
	written []Row
)

func client(more ...kgo.Opt) *kgo.Client {
	options := []kgo.Opt{
		kgo.SeedBrokers(Bootstrap...),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(5 * time.Millisecond),
		kgo.FetchMaxWait(100 * time.Millisecond),
		kgo.RetryTimeout(20 * time.Second),
		kgo.MetadataMinAge(50 * time.Millisecond),
	}
	return Must1(kgo.NewClient(append(options, more...)...))
}

func topic(name string, configs map[string]*string) string {
	full := Prefix + "-" + name
	Must1(admin.CreateTopic(ctx, Partitions, -1, configs, full))
	return full
}

func value(text string) *string { return &text }

func recordOf(topic string, row Row) *kgo.Record {
	record := &kgo.Record{Topic: topic, Partition: row.Partition, Key: row.Key, Value: row.Value}
	for _, header := range row.Headers {
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: header.Key, Value: header.Value})
	}
	return record
}

func rowOf(record *kgo.Record) Row {
	row := Row{Partition: record.Partition, Key: record.Key, Value: record.Value}
	for _, header := range record.Headers {
		row.Headers = append(row.Headers, Header{Key: header.Key, Value: header.Value})
	}
	return row
}

func sendWith(producer *kgo.Client, topic string, rows []Row) error {
	records := make([]*kgo.Record, len(rows))
	for at, row := range rows {
		records[at] = recordOf(topic, row)
	}
	return producer.ProduceSync(ctx, records...).FirstErr()
}

func send(topic string, rows []Row, more ...kgo.Opt) {
	producer := client(more...)
	defer producer.Close()
	Must(sendWith(producer, topic, rows))
}

// read is all of a topic from the start up to where it ends now.
func read(topic string, more ...kgo.Opt) []Row {
	ends := Must1(admin.ListEndOffsets(ctx, topic))
	starts := map[int32]kgo.Offset{}
	for partition := range int32(Partitions) {
		starts[partition] = kgo.NewOffset().AtStart()
	}
	options := append(more, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: starts}), kgo.KeepControlRecords())
	consumer := client(options...)
	defer consumer.Close()
	var rows []Row
	next := map[int32]int64{}
	Until("the end of "+topic, func() bool {
		for _, record := range poll(consumer) {
			next[record.Partition] = record.Offset + 1
			if !record.Attrs.IsControl() {
				rows = append(rows, rowOf(record))
			}
		}
		done := true
		ends.Each(func(end kadm.ListedOffset) { done = done && next[end.Partition] >= end.Offset })
		return done
	})
	return rows
}

func poll(consumer *kgo.Client) []*kgo.Record {
	within, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	fetches := consumer.PollFetches(within)
	for _, failure := range fetches.Errors() {
		if !errors.Is(failure.Err, context.DeadlineExceeded) {
			panic(failure.Err)
		}
	}
	return fetches.Records()
}

func connect() {
	cluster := Must1(admin.BrokerMetadata(ctx))
	OK(cluster.Cluster != "" && len(cluster.Brokers) > 0, "the cluster has an id and nodes")
	OK(cluster.Controller >= 0, "there is a controller")
	versions := Must1(admin.ApiVersions(ctx))
	OK(len(versions) == len(cluster.Brokers), "each node tells its versions")
}

func create() {
	topic("main", map[string]*string{"retention.ms": value("-1")})
	_, err := admin.CreateTopic(ctx, 1, 1, nil, main_)
	Fails(err, kerr.TopicAlreadyExists)
	topics := Must1(admin.ListTopics(ctx, main_))
	Equal(len(topics[main_].Partitions), Partitions)
	for _, partition := range topics[main_].Partitions {
		OK(partition.Err == nil && partition.Leader >= 0 && len(partition.ISR) > 0, "it has a leader in sync")
	}
}

func produce() {
	rows := Rows("plain")
	send(main_, rows, kgo.DisableIdempotentWrite(), kgo.ProducerBatchCompression(kgo.NoCompression()))
	written = append(written, rows...)
	keyed := topic("keyed", nil)
	var keys []Row
	for at := range 90 {
		row := Row{Key: fmt.Appendf(nil, "key %d", at%30), Value: fmt.Append(nil, at)}
		if at%3 == 0 {
			row.Key = nil
		}
		keys = append(keys, row)
	}
	send(keyed, keys, kgo.DisableIdempotentWrite(), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	where := map[string]int32{}
	for _, row := range read(keyed) {
		before, known := where[string(row.Key)]
		OK(row.Key == nil || !known || before == row.Partition, "a key has one partition")
		where[string(row.Key)] = row.Partition
	}
	Equal(len(where), 21)
}

func compress() {
	for name, codec := range map[string]kgo.CompressionCodec{
		"gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	} {
		rows := Rows(name)
		send(main_, rows, kgo.ProducerBatchCompression(codec))
		written = append(written, rows...)
	}
}

func acks() {
	for _, name := range []string{"once", "twice"} {
		rows := Rows(name)
		send(main_, rows, kgo.ProducerLinger(0), kgo.MaxBufferedRecords(4))
		written = append(written, rows...)
	}
	acks := topic("acks", nil)
	for at, wanted := range []kgo.Acks{kgo.NoAck(), kgo.LeaderAck()} {
		send(acks, Numbers(at*30, 30), kgo.RequiredAcks(wanted), kgo.DisableIdempotentWrite())
	}
	Until("all of both", func() bool { return len(read(acks)) == 60 })
	Equal(Values(read(acks)), Range(0, 60))
}

func readAll() {
	Equal(Lines(read(main_)), Lines(written))
	Equal(Lines(read(main_, kgo.FetchMaxPartitionBytes(500), kgo.FetchMaxBytes(500))), Lines(written))
	Equal(Lines(read(main_, kgo.DisableFetchSessions())), Lines(written))
}

func offsets() {
	timed := topic("timed", map[string]*string{"retention.ms": value("-1")})
	producer := client()
	defer producer.Close()
	for _, at := range []int64{1000, 3000, 2000} {
		record := &kgo.Record{Topic: timed, Value: fmt.Append(nil, at), Timestamp: time.UnixMilli(at)}
		Must(producer.ProduceSync(ctx, record).FirstErr())
	}
	at := func(listed kadm.ListedOffsets, err error) int64 {
		found, _ := Must1(listed, err).Lookup(timed, 0)
		Must(found.Err)
		return found.Offset
	}
	Equal(at(admin.ListStartOffsets(ctx, timed)), int64(0))
	Equal(at(admin.ListEndOffsets(ctx, timed)), int64(3))
	Equal(at(admin.ListCommittedOffsets(ctx, timed)), int64(3))
	Equal(at(admin.ListMaxTimestampOffsets(ctx, timed)), int64(1))
	Equal(at(admin.ListOffsetsAfterMilli(ctx, 1500, timed)), int64(1))
	Equal(at(admin.ListOffsetsAfterMilli(ctx, 3001, timed)), int64(3))
	consumer := client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{timed: {0: kgo.NewOffset().At(2)}}))
	defer consumer.Close()
	var found []Row
	Until("the last", func() bool { found = append(found, rowsOf(poll(consumer))...); return len(found) == 1 })
	consumer.SetOffsets(map[string]map[int32]kgo.EpochOffset{timed: {0: {Epoch: -1, Offset: 0}}})
	Until("all again", func() bool { found = append(found, rowsOf(poll(consumer))...); return len(found) == 4 })
	Equal(string(found[1].Value), "1000")
	Equal(len(Must1(admin.OffetForLeaderEpoch(ctx, epochs(timed)))[timed]), 1)
}

func epochs(topic string) kadm.OffsetForLeaderEpochRequest {
	var request kadm.OffsetForLeaderEpochRequest
	request.Add(topic, 0, 0)
	return request
}

func rowsOf(records []*kgo.Record) []Row {
	var rows []Row
	for _, record := range records {
		rows = append(rows, rowOf(record))
	}
	return rows
}

// member of a group, polling until it is stopped.
type member struct {
	guard    sync.Mutex
	seen     map[int]bool
	assigned map[int32]bool
	lost     int
	client   *kgo.Client
	stopped  chan struct{}
	ended    chan struct{}
}

func join(topic, group string, more ...kgo.Opt) *member {
	m := &member{seen: map[int]bool{}, assigned: map[int32]bool{}, stopped: make(chan struct{}), ended: make(chan struct{})}
	change := func(there bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, some map[string][]int32) {
			m.guard.Lock()
			defer m.guard.Unlock()
			for _, partition := range some[topic] {
				if there {
					m.assigned[partition] = true
				} else {
					delete(m.assigned, partition)
					m.lost++
				}
			}
		}
	}
	m.client = client(append([]kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.AutoCommitInterval(100 * time.Millisecond), kgo.HeartbeatInterval(200 * time.Millisecond), kgo.SessionTimeout(10 * time.Second),
		kgo.OnPartitionsAssigned(change(true)), kgo.OnPartitionsRevoked(change(false)), kgo.OnPartitionsLost(change(false)),
	}, more...)...)
	go func() {
		defer close(m.ended)
		for {
			select {
			case <-m.stopped:
				return
			default:
			}
			values := Values(rowsOf(poll(m.client)))
			m.guard.Lock()
			for _, number := range values {
				m.seen[number] = true
			}
			m.guard.Unlock()
		}
	}()
	return m
}

func (m *member) counts() (seen, assigned int) {
	m.guard.Lock()
	defer m.guard.Unlock()
	return len(m.seen), len(m.assigned)
}

func (m *member) stop() {
	close(m.stopped)
	<-m.ended
	Must(m.client.CommitUncommittedOffsets(ctx))
	m.client.Close()
}

func committed(group string) map[int32]int64 {
	found := map[int32]int64{}
	Must1(admin.FetchOffsets(ctx, group)).Each(func(one kadm.OffsetResponse) { found[one.Partition] = one.At })
	return found
}

func group(name string, more ...kgo.Opt) {
	shared := topic("shared-"+name, nil)
	send(shared, Numbers(0, 60))
	one := join(shared, shared, more...)
	Until("one reads all", func() bool { seen, _ := one.counts(); return seen == 60 })
	two := join(shared, shared, more...)
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
	Until("the commits", func() bool {
		found := committed(shared)
		return found[0] == 40 && found[1] == 40 && found[2] == 40
	})
	one.stop()
	Until("two has all", func() bool { _, assigned := two.counts(); return assigned == Partitions })
	two.stop()
	send(shared, Numbers(120, 30))
	again := join(shared, shared, more...)
	Until("the rest", func() bool { seen, _ := again.counts(); return seen >= 30 })
	again.stop()
	seen, _ := again.counts()
	Equal(seen, 30)
	OK(again.seen[120] && again.seen[149], "it goes on at the commits")
}

func statics(name string, more ...kgo.Opt) {
	shared := topic("static-"+name, nil)
	start := func(id string) *member { return join(shared, shared, append(more, kgo.InstanceID(id))...) }
	one := start("a")
	Until("one has all", func() bool { _, assigned := one.counts(); return assigned == Partitions })
	two := start("b")
	Until("they share", func() bool {
		_, first := one.counts()
		_, second := two.counts()
		return first+second == Partitions && second > 0
	})
	before := one.lost
	two.stop()
	back := start("b")
	Until("it has its part again", func() bool { _, assigned := back.counts(); return assigned > 0 })
	Equal(one.lost, before)
	back.stop()
	one.stop()
	removed := Must1(admin.LeaveGroup(ctx, kadm.LeaveGroup(shared).InstanceIDs("a", "b")))
	Must(removed.Error())
}

func newer() {
	group("cooperative", kgo.Balancers(kgo.CooperativeStickyBalancer()))
	kip848 := kgo.ServerSideBalancer()
	group("consumer", kip848)
	shared := Prefix + "-shared-consumer"
	described := Must1(admin.DescribeConsumerGroups(ctx, shared))
	Must(described.Error())
	Equal(described[shared].State, "Empty")
}

func transactions() {
	source, target := topic("source", nil), topic("target", nil)
	send(source, Numbers(0, 30))
	id := Prefix + "-txn"
	options := []kgo.Opt{kgo.TransactionalID(id), kgo.TransactionTimeout(30 * time.Second)}
	producer := client(options...)
	transact := func(producer *kgo.Client, from int, end kgo.TransactionEndTry) {
		Must(producer.BeginTransaction())
		Must(sendWith(producer, target, Numbers(from, 9)))
		Must(producer.Flush(ctx))
		Must(producer.EndTransaction(ctx, end))
	}
	transact(producer, 1000, kgo.TryAbort)
	transact(producer, 0, kgo.TryCommit)
	Must(producer.BeginTransaction())
	Must(sendWith(producer, target, Numbers(2000, 9)))
	send(target, Numbers(9, 9))
	readCommitted := kgo.FetchIsolationLevel(kgo.ReadCommitted())
	// Behind an open transaction nothing is committed yet.
	stable := Must1(admin.ListCommittedOffsets(ctx, target))
	last, _ := stable.Lookup(target, 0)
	end, _ := Must1(admin.ListEndOffsets(ctx, target)).Lookup(target, 0)
	OK(last.Offset == end.Offset-6, fmt.Sprintf("the last stable offset %d is six before the end %d", last.Offset, end.Offset))
	described := Must1(admin.DescribeTransactions(ctx, id))
	Equal(described[id].State, "Ongoing")
	Equal(len(Must1(admin.ListTransactions(ctx, nil, []string{"Ongoing"}))[id].TxnID) > 0, true)
	Must(Must1(admin.DescribeProducers(ctx, kadm.TopicsSet{target: {0: {}}}))[target].Partitions[0].Err)
	second := client(options...)
	transact(second, 18, kgo.TryCommit)
	err := producer.EndTransaction(ctx, kgo.TryCommit)
	OK(errors.Is(err, kerr.InvalidProducerEpoch) || errors.Is(err, kerr.ProducerFenced), fmt.Sprint("fenced: ", err))
	producer.Close()
	second.Close()
	Equal(Values(read(target, readCommitted)), Range(0, 27))
	Equal(len(read(target)), 45)

	copied := topic("copied", nil)
	session := Must1(kgo.NewGroupTransactSession(
		kgo.SeedBrokers(Bootstrap...), kgo.TransactionalID(id+"-copy"), kgo.ConsumerGroup(id), kgo.ConsumeTopics(source),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.RequireStableFetchOffsets(), kgo.FetchMaxWait(100*time.Millisecond),
	))
	seen, aborted := 0, false
	for seen < 30 {
		fetches := session.PollFetches(ctx)
		Must(fetches.Err())
		Must(session.Begin())
		records := fetches.Records()
		for _, record := range records {
			session.Produce(ctx, &kgo.Record{Topic: copied, Value: record.Value}, nil)
		}
		end := kgo.TryCommit
		if !aborted {
			end, aborted = kgo.TryAbort, true
		}
		if Must1(session.End(ctx, end)) {
			seen += len(records)
		}
	}
	session.Close()
	Equal(Values(read(copied, readCommitted)), Range(0, 30))
	Equal(committed(id), map[int32]int64{0: 10, 1: 10, 2: 10})
}

func administer() {
	shared := Prefix + "-shared-classic"
	groups := Must1(admin.DescribeGroups(ctx, shared))
	Equal(groups[shared].State, "Empty")
	_, listed := Must1(admin.ListGroups(ctx))[shared]
	OK(listed, "the group is listed")
	var change kadm.Offsets
	change.AddOffset(shared, 0, 3, -1)
	Must(Must1(admin.CommitOffsets(ctx, shared, change)).Error())
	Must(Must1(admin.DeleteOffsets(ctx, shared, kadm.TopicsSet{shared: {1: {}}})).Error())
	Equal(committed(shared), map[int32]int64{0: 3, 2: 50})
	Must1(admin.DeleteGroup(ctx, shared))
	_, listed = Must1(admin.ListGroups(ctx))[shared]
	OK(!listed, "the group is gone")

	Must(Must1(admin.CreatePartitions(ctx, 2, shared)).Error())
	Until("five partitions", func() bool { return len(Must1(admin.ListTopics(ctx, shared))[shared].Partitions) == 5 })
	Must1(admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: value("123456")}}, shared))
	config := func(name string) string {
		found := Must1(Must1(admin.DescribeTopicConfigs(ctx, shared)).On(shared, nil))
		for _, one := range found.Configs {
			if one.Key == name {
				return one.MaybeValue()
			}
		}
		return ""
	}
	Until("the config", func() bool { return config("retention.ms") == "123456" })
	Equal(config("cleanup.policy"), "delete")
	Must1(admin.AlterTopicConfigsState(ctx, []kadm.AlterConfig{{Name: "segment.bytes", Value: value("1048576")}}, shared))
	Until("the state of the configs", func() bool { return config("segment.bytes") == "1048576" && config("retention.ms") != "123456" })
	node := Must1(admin.ListBrokers(ctx)).NodeIDs()[0]
	OK(len(Must1(admin.DescribeBrokerConfigs(ctx, node))[0].Configs) > 10, "a node has configs")
	var delete_ kadm.Offsets
	delete_.AddOffset(main_, 0, 10, -1)
	Must(Must1(admin.DeleteRecords(ctx, delete_)).Error())
	start, _ := Must1(admin.ListStartOffsets(ctx, main_)).Lookup(main_, 0)
	Equal(start.Offset, int64(10))
	OK(len(Must1(admin.DescribeAllLogDirs(ctx, kadm.TopicsSet{main_: {0: {}}}))) > 0, "nodes have log directories")
	Must1(admin.DeleteTopic(ctx, shared))
	_, err := admin.DeleteTopic(ctx, shared)
	Fails(err, kerr.UnknownTopicOrPartition)
}

func failures() {
	nowhere := client(kgo.UnknownTopicRetries(1))
	Fails(sendWith(nowhere, Prefix+"-nowhere", Numbers(0, 1)), kerr.UnknownTopicOrPartition)
	nowhere.Close()
	small := topic("small", map[string]*string{"max.message.bytes": value("1000")})
	producer := client(kgo.ProducerBatchCompression(kgo.NoCompression()))
	defer producer.Close()
	Fails(sendWith(producer, small, []Row{{Value: make([]byte, 5000)}}), kerr.MessageTooLarge)
	cut := topic("cut", nil)
	next := 0
	one := func() {
		Must(sendWith(producer, cut, []Row{{Value: fmt.Append(nil, next)}}))
		next++
	}
	one()
	Cut("Produce", cut, false)
	one()
	Cut("Produce", cut, true)
	one()
	MoveLeader(cut, 0)
	one()
	consumer := client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{cut: {0: kgo.NewOffset().AtStart()}}))
	defer consumer.Close()
	var found []Row
	Until("the first four", func() bool { found = append(found, rowsOf(poll(consumer))...); return len(found) >= 4 })
	Cut("Fetch", "", false)
	MoveLeader(cut, 0)
	one()
	Until("the fifth", func() bool { found = append(found, rowsOf(poll(consumer))...); return len(found) >= 5 })
	Equal(len(found), 5)
	for at, row := range found {
		Equal(string(row.Value), fmt.Sprint(at))
	}
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
		classic := kgo.Balancers(kgo.RangeBalancer())
		group("classic", classic)
		statics("classic", classic)
	})
	Step(9, newer)
	Step(10, transactions)
	Step(11, administer)
	Step(12, failures)
	admin.Close()
	os.Exit(0)
}
