package script

import (
	"encoding/base64"
	"fmt"
	"sort"
	"strings"
)

// Partitions of every topic.
const Partitions = 3

// Header of a record.
type Header struct {
	Key   string
	Value []byte
}

// Row is a record as any client writes and reads it.
type Row struct {
	Partition int32
	Key       []byte
	Value     []byte
	Headers   []Header
}

// Rows are thirty records over three partitions, with everything that a record may have.
func Rows(name string) []Row {
	everyByte := make([]byte, 256)
	for at := range everyByte {
		everyByte[at] = byte(at)
	}
	rows := make([]Row, 30)
	for at := range rows {
		row := Row{Partition: int32(at % Partitions), Key: fmt.Appendf(nil, "%s-key-%d", name, at)}
		if at%4 == 0 {
			row.Key = nil
		}
		switch {
		case at%7 == 3:
		case at%7 == 5:
			row.Value = []byte{}
		case at%11 == 1:
			row.Value = everyByte
		default:
			row.Value = []byte(strings.Repeat(fmt.Sprintf("%s value %d ", name, at), 1+at%5*20))
		}
		if at%3 == 0 {
			row.Headers = []Header{{"name", []byte(name)}, {"name", everyByte}}
		}
		rows[at] = row
	}
	return rows
}

// Numbers are rows that hold a number each.
func Numbers(from, count int) []Row {
	rows := make([]Row, count)
	for at := range rows {
		rows[at] = Row{Partition: int32(at % Partitions), Value: fmt.Append(nil, from+at)}
	}
	return rows
}

// Lines are one for each record, in which every byte counts, by partition.
func Lines(rows []Row) []string {
	sorted := append([]Row{}, rows...)
	sort.SliceStable(sorted, func(a, b int) bool { return sorted[a].Partition < sorted[b].Partition })
	lines := make([]string, len(sorted))
	for at, row := range sorted {
		var line strings.Builder
		fmt.Fprintf(&line, "%d %s %s", row.Partition, text(row.Key), text(row.Value))
		for _, header := range row.Headers {
			fmt.Fprintf(&line, " %s=%s", header.Key, text(header.Value))
		}
		lines[at] = line.String()
	}
	return lines
}

func text(data []byte) string {
	if data == nil {
		return "~"
	}
	return "'" + base64.StdEncoding.EncodeToString(data)
}

// Values are the numbers that rows hold, sorted.
func Values(rows []Row) []int {
	values := make([]int, len(rows))
	for at, row := range rows {
		fmt.Sscan(string(row.Value), &values[at])
	}
	sort.Ints(values)
	return values
}

// Range counts from one number up to another, without it.
func Range(from, to int) []int {
	values := make([]int, 0, to-from)
	for n := from; n < to; n++ {
		values = append(values, n)
	}
	return values
}
