// The Go peers of the bench: franz-go and sarama. The task is JSON in the first argument, the outcome JSON on the last line of the output.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(argument string) error {
	var told task
	if err := json.Unmarshal([]byte(argument), &told); err != nil {
		return err
	}
	peer, err := connect(told)
	if err != nil {
		return err
	}
	work, err := workOf(peer, told.Work)
	if err != nil {
		return err
	}
	warmAt := time.Now().Add(time.Duration(told.WarmUpMs) * time.Millisecond)
	for _, job := range told.WarmUps {
		if _, err := work(job, &stopwatch{}); err != nil {
			return err
		}
		if time.Now().After(warmAt) {
			break
		}
	}
	watch := &stopwatch{}
	sum, err := work(told.Measured, watch)
	if err != nil {
		return err
	}
	if err := peer.close(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(watch.outcome(told.Measured.Records, sum))
}

func connect(told task) (client, error) {
	switch told.Client {
	case "franz-go":
		return newFranz(told)
	case "sarama":
		return newSarama(told)
	}
	return nil, fmt.Errorf("there is no client %q", told.Client)
}

func workOf(peer client, name string) (func(job, *stopwatch) (int64, error), error) {
	switch name {
	case "produce":
		return peer.produce, nil
	case "read":
		return peer.read, nil
	case "consume":
		return peer.consume, nil
	}
	return nil, fmt.Errorf("there is no work %q", name)
}
