package main

import (
	"sync"
	"sync/atomic"
	"time"
)

// result is what one measured stretch of work comes to.
type result struct {
	Op        string  `json:"op"`
	Callers   int     `json:"callers"`
	Count     int64   `json:"count"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"perSecond"`
}

// measure lets callers goroutines call work one call after the other until the time is over, or until
// work says that there is nothing left. work is told which caller it is.
func measure(op string, callers int, seconds float64, work func(caller int) (more bool, err error)) (result, error) {
	var count int64
	var failed error
	var once sync.Once
	var group sync.WaitGroup
	start := time.Now()
	end := start.Add(time.Duration(seconds * float64(time.Second)))
	for caller := 0; caller < callers; caller++ {
		group.Add(1)
		go func(caller int) {
			defer group.Done()
			for time.Now().Before(end) {
				more, err := work(caller)
				if err != nil {
					once.Do(func() { failed = err })
				}
				if err != nil || !more {
					return
				}
				atomic.AddInt64(&count, 1)
			}
		}(caller)
	}
	group.Wait()
	taken := time.Since(start).Seconds()
	return result{op, callers, count, taken, float64(count) / taken}, failed
}

// step is one prepared record and how far it has come.
type step struct {
	id   string
	done int
}

// walk hands prepared records to callers; each caller takes one and brings it to its end before the next.
type walk struct {
	mutex   sync.Mutex
	waiting []string
	current map[int]*step
	length  int
}

func newWalk(ids []string, length int) *walk {
	return &walk{waiting: ids, current: map[int]*step{}, length: length}
}

// next returns the record that a caller is at and the number of its step, or false where none is left.
func (w *walk) next(caller int) (id string, number int, ok bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	at := w.current[caller]
	if at == nil || at.done == w.length {
		if len(w.waiting) == 0 {
			return "", 0, false
		}
		at = &step{id: w.waiting[0]}
		w.waiting = w.waiting[1:]
		w.current[caller] = at
	}
	at.done++
	return at.id, at.done - 1, true
}
