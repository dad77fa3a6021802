package main

import (
	"sync"

	"github.com/IBM/sarama"
)

// saramaReader tallies partitions that are read in goroutines of their own; each adds under a lock, one buffer of records at a time.
type saramaReader struct {
	of    int
	watch *stopwatch
	done  func()
	guard sync.Mutex
	seen  tally
}

func (r *saramaReader) drain(session sarama.ConsumerGroupSession, messages <-chan *sarama.ConsumerMessage) {
	for message := range messages {
		r.guard.Lock()
		r.add(session, message)
		for range len(messages) {
			r.add(session, <-messages)
		}
		ended := r.seen.records >= r.of
		r.guard.Unlock()
		if ended {
			r.done()
		}
	}
}

func (r *saramaReader) add(session sarama.ConsumerGroupSession, message *sarama.ConsumerMessage) {
	if message == nil {
		return
	}
	r.seen.add(message.Value, r.of, r.watch)
	if session != nil {
		session.MarkMessage(message, "")
	}
}

func (r *saramaReader) Setup(sarama.ConsumerGroupSession) error {
	r.seen.begin(r.watch)
	return nil
}

func (r *saramaReader) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (r *saramaReader) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	r.drain(session, claim.Messages())
	return nil
}
