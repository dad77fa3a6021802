package main

// What the bench tells a client, and what it is answered.

type job struct {
	Topic      string `json:"topic"`
	GroupID    string `json:"groupId"`
	Records    int    `json:"records"`
	Partitions int    `json:"partitions"`
}

type task struct {
	Client     string   `json:"client"`
	Brokers    []string `json:"brokers"`
	Work       string   `json:"work"`
	LingerMs   int      `json:"lingerMs"`
	ValueBytes int      `json:"valueBytes"`
	WarmUps    []job    `json:"warmUps"`
	WarmUpMs   int      `json:"warmUpMs"`
	Measured   job      `json:"measured"`
}

type outcome struct {
	Records      int     `json:"records"`
	Seconds      float64 `json:"seconds"`
	CPUSeconds   float64 `json:"cpuSeconds"`
	PeakRSSBytes int64   `json:"peakRssBytes"`
	Sum          int64   `json:"sum"`
}

// client does one job and answers with the sum of the weights of its values; clock runs from the first record to the last.
type client interface {
	produce(job, *stopwatch) (int64, error)
	consume(job, *stopwatch) (int64, error)
	read(job, *stopwatch) (int64, error)
	close() error
}
