package main

import (
	"errors"
	"fmt"
	"math/rand"
	"runtime"
	"time"

	"go.etcd.io/bbolt"
)

// request is one line from the harness.
type request struct {
	Op       string  `json:"op"`
	Path     string  `json:"path"`
	Template string  `json:"template"`
	Callers  int     `json:"callers"`
	Seconds  float64 `json:"seconds"`
	Count    int     `json:"count"`
	Jobs     int     `json:"jobs"`
	Parse    bool    `json:"parse"`
}

// peer is the state between two lines: at most one store of each kind, and the ids that it knows.
type peer struct {
	template   *template
	jobs       *jobStore
	executions *executionStore
	jobIDs     []string
	ready      []string
}

func (p *peer) run(r request) (interface{}, error) {
	switch r.Op {
	case "version":
		return map[string]string{"go": runtime.Version()}, nil
	case "open-jobs":
		return p.openJobs(r)
	case "open-executions":
		return p.openExecutions(r)
	case "fill-bolt":
		t, err := loadTemplate(r.Template)
		if err != nil {
			return nil, err
		}
		return fillStateFile(r.Path, t, r.Jobs, r.Count)
	case "walk-bolt":
		return walkBolt(r.Path, r.Parse)
	case "close":
		return struct{}{}, p.close()
	}
	if p.jobs != nil {
		return p.runOnJobs(r)
	}
	if p.executions != nil {
		return p.runOnExecutions(r)
	}
	return nil, errors.New("no store is open: " + r.Op)
}

func (p *peer) openJobs(r request) (_ interface{}, err error) {
	if p.template, err = loadTemplate(r.Template); err != nil {
		return nil, err
	}
	start := time.Now()
	if p.jobs, err = openJobStore(r.Path); err != nil {
		return nil, err
	}
	seconds := time.Since(start).Seconds()
	err = p.jobs.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("jobs")).ForEach(func(id, _ []byte) error {
			p.jobIDs = append(p.jobIDs, string(id))
			return nil
		})
	})
	return map[string]interface{}{"seconds": seconds, "count": len(p.jobIDs)}, err
}

func (p *peer) openExecutions(r request) (_ interface{}, err error) {
	if p.template, err = loadTemplate(r.Template); err != nil {
		return nil, err
	}
	start := time.Now()
	if p.executions, err = openExecutionStore(r.Path); err != nil {
		return nil, err
	}
	if err = p.executions.countStates(); err != nil {
		return nil, err
	}
	return map[string]interface{}{"seconds": time.Since(start).Seconds(), "count": p.executions.counts}, nil
}

func (p *peer) close() (err error) {
	if p.jobs != nil {
		err = p.jobs.db.Close()
	}
	if p.executions != nil {
		err = p.executions.db.Close()
	}
	*p = peer{}
	return err
}

func (p *peer) runOnJobs(r request) (interface{}, error) {
	s, t := p.jobs, p.template
	switch r.Op {
	case "create":
		return measure(r.Op, r.Callers, r.Seconds, func(int) (bool, error) { return true, s.createJob(t.newJob("")) })
	case "submit":
		return measure(r.Op, r.Callers, r.Seconds, func(int) (bool, error) {
			j := t.newJob("")
			if err := s.createJob(j); err != nil {
				return false, err
			}
			return true, s.createEvaluation(t.newEvaluation(&j, "job-register"))
		})
	case "get":
		return measure(r.Op, r.Callers, r.Seconds, func(int) (bool, error) {
			_, err := s.getJob(p.jobIDs[rand.Intn(len(p.jobIDs))])
			return true, err
		})
	case "page":
		return measure(r.Op, 1, r.Seconds, func(int) (bool, error) {
			page, err := s.listJobs(t.job.Namespace, 0, 100)
			if err == nil && len(page) != 100 {
				err = fmt.Errorf("the page has %d jobs", len(page))
			}
			return true, err
		})
	case "prepare-updates":
		return struct{}{}, p.prepareUpdates(r.Count)
	case "update-execution":
		return p.updateExecutions(r)
	case "fill":
		return p.fill(s.db, r.Count, func(tx *bbolt.Tx) error {
			j := t.newJob("")
			p.jobIDs = append(p.jobIDs, j.ID)
			return createJobTx(tx, j)
		})
	case "finish":
		return p.finish(s.db, r.Count, func() error { return finishJob(s, t) })
	}
	return nil, errors.New("unknown operation on a job store: " + r.Op)
}

// prepareUpdates makes jobs with one execution each, in state New.
func (p *peer) prepareUpdates(count int) error {
	_, err := p.fill(p.jobs.db, count, func(tx *bbolt.Tx) error {
		j := p.template.newJob("")
		e := p.template.newExecution(&j)
		p.ready = append(p.ready, e.ID)
		if err := createJobTx(tx, j); err != nil {
			return err
		}
		return createExecutionTx(tx, e)
	})
	return err
}

func (p *peer) updateExecutions(r request) (interface{}, error) {
	states := []int{execNew, execAskForBid, execAskForBidAccepted, execBidAccepted, execCompleted}
	w := newWalk(p.ready, len(states)-1)
	defer func() { p.ready = w.waiting }()
	return measure(r.Op, r.Callers, r.Seconds, func(caller int) (bool, error) {
		id, n, ok := w.next(caller)
		if !ok {
			return false, nil
		}
		change := func(e *execution) { e.ComputeState = numericState{StateType: states[n+1]} }
		if states[n+1] == execCompleted {
			change = complete
		}
		return true, p.jobs.updateExecution(id, states[n:n+1], "Execution changed its state", change)
	})
}

func (p *peer) runOnExecutions(r request) (interface{}, error) {
	s, t := p.executions, p.template
	switch r.Op {
	case "fill":
		return p.fill(s.db, r.Count, func(tx *bbolt.Tx) error {
			j := t.newJob("")
			e := t.newExecution(&j)
			p.ready = append(p.ready, e.ID)
			return createLocalTx(tx, &e)
		})
	case "change-state":
		w := newWalk(p.ready, len(localLife))
		defer func() { p.ready = w.waiting }()
		return measure(r.Op, r.Callers, r.Seconds, func(caller int) (bool, error) {
			id, n, ok := w.next(caller)
			if !ok {
				return false, nil
			}
			return true, s.updateState(id, localLife[n].from, localLife[n].to, localLife[n].comment)
		})
	case "finish":
		return p.finish(s.db, r.Count, func() error { return finishExecution(s, t) })
	}
	return nil, errors.New("unknown operation on an execution store: " + r.Op)
}

// fill writes records without a sync, many in a transaction: it prepares a measurement and is none.
func (p *peer) fill(db *bbolt.DB, count int, write func(*bbolt.Tx) error) (interface{}, error) {
	db.NoSync = true
	defer func() { db.NoSync = false }()
	for written := 0; written < count; {
		err := db.Update(func(tx *bbolt.Tx) error {
			for n := 0; n < 500 && written < count; n++ {
				if err := write(tx); err != nil {
					return err
				}
				written++
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return map[string]int{"count": count}, db.Sync()
}

// finish writes whole lives, a transaction for each step but without a sync, and weighs them. They are
// written by one caller, so the pages are split as a node would split them.
func (p *peer) finish(db *bbolt.DB, count int, life func() error) (interface{}, error) {
	before, err := usedBytes(db)
	if err != nil {
		return nil, err
	}
	db.NoSync = true
	defer func() { db.NoSync = false }()
	for n := 0; n < count; n++ {
		if err := life(); err != nil {
			return nil, err
		}
	}
	after, err := usedBytes(db)
	return map[string]interface{}{"count": count, "bytesEach": float64(after-before) / float64(count)}, err
}
