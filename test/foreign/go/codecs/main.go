// The same records with every codec, written or read by sarama or franz-go: codecs write|read sarama|franz BOOTSTRAP COUNT CODEC=TOPIC...
// Prints a digest of each topic, which covers every byte of key and value in the order of the partitions.
package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kgo"

	. "sluice-foreign/script"
)

const partitions = 3

type record struct{ key, value string }

func recordOf(at int) record {
	return record{fmt.Sprintf("key-%d", at%17), strings.Repeat(fmt.Sprintf("value number %d, ", at), 1+at%9)}
}

func digest(found [partitions][]record) string {
	hash := sha256.New()
	for partition, records := range found {
		for _, one := range records {
			fmt.Fprintf(hash, "%d\t%s\t%s\n", partition, one.key, one.value)
		}
	}
	return fmt.Sprintf("%x", hash.Sum(nil))
}

type client interface {
	write(topic, codec string, count int)
	read(topic string, count int) [partitions][]record
}

type ofSarama struct{ brokers []string }

func saramaConfig() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.V4_0_0_0
	config.Producer.Return.Successes = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Producer.Flush.Frequency = 20 * time.Millisecond
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.MaxWaitTime = 50 * time.Millisecond
	return config
}

func (c ofSarama) write(topic, codec string, count int) {
	config := saramaConfig()
	Must(config.Producer.Compression.UnmarshalText([]byte(codec)))
	producer := Must1(sarama.NewSyncProducer(c.brokers, config))
	messages := make([]*sarama.ProducerMessage, count)
	for at := range messages {
		one := recordOf(at)
		messages[at] = &sarama.ProducerMessage{
			Topic: topic, Partition: int32(at % partitions), Key: sarama.StringEncoder(one.key), Value: sarama.StringEncoder(one.value),
		}
	}
	Must(producer.SendMessages(messages))
	Must(producer.Close())
}

func (c ofSarama) read(topic string, count int) (found [partitions][]record) {
	consumer := Must1(sarama.NewConsumer(c.brokers, saramaConfig()))
	defer consumer.Close()
	for partition := range found {
		one := Must1(consumer.ConsumePartition(topic, int32(partition), sarama.OffsetOldest))
		for len(found[partition]) < (count+partitions-1-partition)/partitions {
			select {
			case message := <-one.Messages():
				found[partition] = append(found[partition], record{string(message.Key), string(message.Value)})
			case err := <-one.Errors():
				panic(err)
			case <-time.After(20 * time.Second):
				panic("no message for 20 s")
			}
		}
		Must(one.Close())
	}
	return found
}

type ofFranz struct{ brokers []string }

var codecs = map[string]kgo.CompressionCodec{
	"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

func (c ofFranz) write(topic, codec string, count int) {
	client := Must1(kgo.NewClient(
		kgo.SeedBrokers(c.brokers...), kgo.ProducerBatchCompression(codecs[codec]), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(20*time.Millisecond)))
	defer client.Close()
	var records []*kgo.Record
	for at := range count {
		one := recordOf(at)
		records = append(records, &kgo.Record{Topic: topic, Partition: int32(at % partitions), Key: []byte(one.key), Value: []byte(one.value)})
	}
	Must(client.ProduceSync(context.Background(), records...).FirstErr())
}

func (c ofFranz) read(topic string, count int) (found [partitions][]record) {
	client := Must1(kgo.NewClient(
		kgo.SeedBrokers(c.brokers...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())))
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for read := 0; read < count; {
		fetches := client.PollFetches(ctx)
		Must(fetches.Err())
		fetches.EachRecord(func(one *kgo.Record) {
			found[one.Partition] = append(found[one.Partition], record{string(one.Key), string(one.Value)})
			read++
		})
	}
	return found
}

func main() {
	brokers := strings.Split(os.Args[3], ",")
	var with client = ofSarama{brokers}
	if os.Args[2] == "franz" {
		with = ofFranz{brokers}
	}
	count := Must1(strconv.Atoi(os.Args[4]))
	for _, arg := range os.Args[5:] {
		codec, topic, _ := strings.Cut(arg, "=")
		if os.Args[1] == "write" {
			with.write(topic, codec, count)
		} else {
			fmt.Println(digest(with.read(topic, count)))
		}
	}
}
