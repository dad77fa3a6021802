package script

import (
	"errors"
	"fmt"
	"reflect"
	"time"
)

// Must panics with an error.
func Must(err error) {
	if err != nil {
		panic(err)
	}
}

// Must1 answers with the value, or panics with the error.
func Must1[T any](value T, err error) T {
	Must(err)
	return value
}

// Equal panics unless both are the same.
func Equal(found, wanted any) {
	if !reflect.DeepEqual(found, wanted) {
		panic(fmt.Sprintf("found %v, not %v", found, wanted))
	}
}

// OK panics unless it holds.
func OK(holds bool, what string) {
	if !holds {
		panic("not so: " + what)
	}
}

// Fails panics unless err is the wanted error.
func Fails(err, wanted error) {
	if !errors.Is(err, wanted) {
		panic(fmt.Sprintf("failed with %v, not with %v", err, wanted))
	}
}

// Until waits for something to hold.
func Until(what string, holds func() bool) {
	end := time.Now().Add(25 * time.Second)
	for !holds() {
		if time.Now().After(end) {
			panic(what + ": not within 25 s")
		}
		time.Sleep(20 * time.Millisecond)
	}
}
