package main

import (
	"errors"
	"time"
)

const commitInterval = 5 * time.Second

// tally does per record what every client of the bench does: weigh it, and keep every other one.
type tally struct {
	begun   bool
	records int
	sum     int64
	kept    int
}

func (t *tally) add(value []byte, of int, watch *stopwatch) {
	t.sum += weight(value)
	if value[len(value)>>1]&1 == 0 {
		t.kept++
	}
	t.records++
	if t.records == of {
		watch.stop()
	}
}

// begin starts the clock: the partitions are assigned. Later assignments change nothing.
func (t *tally) begin(watch *stopwatch) {
	if !t.begun {
		t.begun = true
		watch.start()
	}
}

func (t *tally) result() (int64, error) {
	if t.kept == 0 {
		return 0, errors.New("nothing was kept")
	}
	return t.sum, nil
}
