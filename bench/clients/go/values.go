package main

const (
	mostValues     = 16_384
	leastValues    = 512
	poolBytes      = 8 << 20
	firstPrintable = 33
	printables     = 94
)

// values are random and printable, and the same in every client of the bench.
func values(valueBytes int) [][]byte {
	seed := uint32(20_260_101)
	pool := make([][]byte, max(leastValues, min(mostValues, poolBytes/valueBytes)))
	for i := range pool {
		value := make([]byte, valueBytes)
		for at := range value {
			seed = seed*1_664_525 + 1_013_904_223
			value[at] = byte(firstPrintable + (seed>>16)%printables)
		}
		pool[i] = value
	}
	return pool
}

// weight is what one value adds to the sum.
func weight(value []byte) int64 {
	length := len(value)
	return int64(length) + int64(value[0])*7 + int64(value[length>>1])*31 + int64(value[length-1])*127
}
