package main

import (
	"syscall"
	"time"
)

// stopwatch takes wall clock and CPU of this process between start and stop.
type stopwatch struct {
	startedAt  time.Time
	cpuAtStart float64
	seconds    float64
	cpuSeconds float64
}

func usage() syscall.Rusage {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return used
}

func cpuSeconds() float64 {
	used := usage()
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
}

func (w *stopwatch) start() {
	w.cpuAtStart = cpuSeconds()
	w.startedAt = time.Now()
}

func (w *stopwatch) stop() {
	w.seconds = time.Since(w.startedAt).Seconds()
	w.cpuSeconds = cpuSeconds() - w.cpuAtStart
}

func (w *stopwatch) outcome(records int, sum int64) outcome {
	return outcome{records, w.seconds, w.cpuSeconds, usage().Maxrss * 1024, sum}
}
