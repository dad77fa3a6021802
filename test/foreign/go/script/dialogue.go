// Package script is the side of support/dialogue.ts that programs in Go share: steps, acts on the broker, checks and records.
package script

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const stepLimit = 60 * time.Second
const shown = 3000

var (
	answers = bufio.NewReader(os.Stdin)
	chosen  = os.Getenv("STEPS")
	guard   sync.Mutex
)

// Bootstrap are the addresses of the cluster.
var Bootstrap []string

// Prefix starts every name of this run.
var Prefix string

func init() {
	if len(os.Args) > 2 {
		Bootstrap, Prefix = strings.Split(os.Args[1], ","), os.Args[2]
	}
}

type said struct {
	Step  int    `json:"step"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

type act struct {
	Act       string `json:"act"`
	API       string `json:"api,omitempty"`
	Topic     string `json:"topic,omitempty"`
	Partition int32  `json:"partition"`
	Applied   bool   `json:"applied"`
}

func say(what any) {
	guard.Lock()
	defer guard.Unlock()
	line, _ := json.Marshal(what)
	fmt.Println(string(line))
}

// Step takes one step; a panic is its failure.
func Step(number int, take func()) {
	if chosen != "" && !slices.Contains(strings.Split(chosen, ","), strconv.Itoa(number)) {
		return
	}
	done := make(chan said, 1)
	go func() {
		defer func() {
			if failure := recover(); failure != nil {
				text := fmt.Sprintf("%v\n%s", failure, debug.Stack())
				done <- said{Step: number, Error: text[:min(len(text), shown)]}
			}
		}()
		take()
		done <- said{Step: number, OK: true}
	}()
	select {
	case result := <-done:
		say(result)
	case <-time.After(stepLimit):
		say(said{Step: number, Error: fmt.Sprintf("not done within %v", stepLimit)})
	}
}

// MoveLeader asks for another leader; false where the broker cannot be acted on.
func MoveLeader(topic string, partition int32) bool {
	return ask(act{Act: "moveLeader", Topic: topic, Partition: partition})
}

// Cut asks that the next request of the API loses its connection, before or after it was carried out.
func Cut(api, topic string, applied bool) bool {
	return ask(act{Act: "cut", API: api, Topic: topic, Applied: applied})
}

func ask(what act) bool {
	say(what)
	answer, err := answers.ReadString('\n')
	return err == nil && strings.Contains(answer, "true")
}
