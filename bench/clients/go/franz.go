package main

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// As many as it takes for the linger to fill batches; the default of 10,000 records is half as fast.
const franzBufferedRecords = 200_000

type franz struct {
	told     task
	pool     [][]byte
	producer *kgo.Client
}

func newFranz(told task) (*franz, error) {
	producer, err := kgo.NewClient(
		kgo.SeedBrokers(told.Brokers...),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.ProducerLinger(time.Duration(told.LingerMs)*time.Millisecond),
		kgo.MaxBufferedRecords(franzBufferedRecords),
	)
	return &franz{told, values(told.ValueBytes), producer}, err
}

func (f *franz) close() error {
	f.producer.Close()
	return nil
}

func (f *franz) produce(j job, watch *stopwatch) (int64, error) {
	var guard sync.Mutex
	var sum int64
	var failure error
	var open sync.WaitGroup
	acked := func(record *kgo.Record, err error) {
		guard.Lock()
		if err != nil {
			failure = err
		} else {
			sum += weight(record.Value)
		}
		guard.Unlock()
		open.Done()
	}
	open.Add(j.Records)
	watch.start()
	for at := range j.Records {
		f.producer.Produce(context.Background(), &kgo.Record{Topic: j.Topic, Value: f.pool[at%len(f.pool)]}, acked)
	}
	open.Wait()
	watch.stop()
	return sum, failure
}

func (f *franz) read(j job, watch *stopwatch) (int64, error) {
	starts := make(map[int32]kgo.Offset, j.Partitions)
	for partition := range j.Partitions {
		starts[int32(partition)] = kgo.NewOffset().AtStart()
	}
	consumer, err := kgo.NewClient(
		kgo.SeedBrokers(f.told.Brokers...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{j.Topic: starts}),
	)
	if err != nil {
		return 0, err
	}
	defer consumer.Close()
	var seen tally
	seen.begin(watch)
	return poll(consumer, j, &seen, watch)
}

func (f *franz) consume(j job, watch *stopwatch) (int64, error) {
	var seen tally
	consumer, err := kgo.NewClient(
		kgo.SeedBrokers(f.told.Brokers...),
		kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) { seen.begin(watch) }),
		kgo.ConsumerGroup(j.GroupID),
		kgo.ConsumeTopics(j.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.AutoCommitInterval(commitInterval),
	)
	if err != nil {
		return 0, err
	}
	defer consumer.Close()
	sum, err := poll(consumer, j, &seen, watch)
	if err != nil {
		return 0, err
	}
	return sum, consumer.CommitUncommittedOffsets(context.Background())
}

func poll(consumer *kgo.Client, j job, seen *tally, watch *stopwatch) (int64, error) {
	for seen.records < j.Records {
		fetches := consumer.PollFetches(context.Background())
		if err := fetches.Err(); err != nil {
			return 0, err
		}
		fetches.EachRecord(func(record *kgo.Record) { seen.add(record.Value, j.Records, watch) })
	}
	return seen.result()
}
