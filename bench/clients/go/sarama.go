package main

import (
	"context"
	"time"

	"github.com/IBM/sarama"
)

// The bytes a broker takes in one batch by default, less its header.
const saramaFlushBytes = 1_000_000
const saramaFetchBytes = 1 << 20
const saramaChannelRecords = 4_096

type saramaClient struct {
	told     task
	pool     [][]byte
	config   *sarama.Config
	producer sarama.AsyncProducer
}

func newSarama(told task) (*saramaClient, error) {
	config := sarama.NewConfig()
	config.Version = sarama.V4_0_0_0
	config.ChannelBufferSize = saramaChannelRecords
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Return.Successes = true
	config.Producer.Flush.Frequency = time.Duration(told.LingerMs) * time.Millisecond
	config.Producer.MaxMessageBytes = saramaFlushBytes
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Interval = commitInterval
	config.Consumer.Fetch.Default = saramaFetchBytes
	producer, err := sarama.NewAsyncProducer(told.Brokers, config)
	return &saramaClient{told, values(told.ValueBytes), config, producer}, err
}

func (s *saramaClient) close() error {
	return s.producer.Close()
}

func (s *saramaClient) produce(j job, watch *stopwatch) (int64, error) {
	watch.start()
	go func() {
		input := s.producer.Input()
		for at := range j.Records {
			input <- &sarama.ProducerMessage{Topic: j.Topic, Value: sarama.ByteEncoder(s.pool[at%len(s.pool)])}
		}
	}()
	var sum int64
	for range j.Records {
		select {
		case acked := <-s.producer.Successes():
			sum += weight(acked.Value.(sarama.ByteEncoder))
		case failed := <-s.producer.Errors():
			return 0, failed
		}
	}
	watch.stop()
	return sum, nil
}

func (s *saramaClient) read(j job, watch *stopwatch) (int64, error) {
	consumer, err := sarama.NewConsumer(s.told.Brokers, s.config)
	if err != nil {
		return 0, err
	}
	defer consumer.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	reader := &saramaReader{of: j.Records, watch: watch, done: cancel}
	reader.seen.begin(watch)
	for partition := range j.Partitions {
		from, err := consumer.ConsumePartition(j.Topic, int32(partition), sarama.OffsetOldest)
		if err != nil {
			return 0, err
		}
		defer from.AsyncClose()
		go reader.drain(nil, from.Messages())
	}
	<-ctx.Done()
	return reader.seen.result()
}

func (s *saramaClient) consume(j job, watch *stopwatch) (int64, error) {
	group, err := sarama.NewConsumerGroup(s.told.Brokers, j.GroupID, s.config)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	reader := &saramaReader{of: j.Records, watch: watch, done: cancel}
	for ctx.Err() == nil {
		if err := group.Consume(ctx, []string{j.Topic}, reader); err != nil {
			return 0, err
		}
	}
	if err := group.Close(); err != nil {
		return 0, err
	}
	return reader.seen.result()
}
