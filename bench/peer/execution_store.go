package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// executionStore is the compute node's store.
type executionStore struct {
	db     *bbolt.DB
	counts map[int]uint64
}

func openExecutionStore(path string) (*executionStore, error) {
	db, err := openBolt(path)
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range []string{
			"execution", "execution-history", "execution-index", "execution-live-index",
		} {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
	return &executionStore{db: db, counts: map[int]uint64{}}, err
}

// countStates decodes every row; v1.4 does it at each start, before it can answer how many there are.
func (s *executionStore) countStates() error {
	return s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("execution")).ForEach(func(_, value []byte) error {
			var row localExecution
			if err := json.Unmarshal(value, &row); err != nil {
				return err
			}
			s.counts[row.State]++
			return nil
		})
	})
}

func (s *executionStore) create(e *execution) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return createLocalTx(tx, e) })
}

func createLocalTx(tx *bbolt.Tx, e *execution) error {
	now := time.Now().UTC()
	row := localExecution{
		Execution: e, RequesterNodeID: e.NodeID, State: localCreated, Version: 1, CreateTime: now, UpdateTime: now,
	}
	bucket := tx.Bucket([]byte("execution"))
	if bucket.Get([]byte(e.ID)) != nil {
		return errors.New("execution already exists: " + e.ID)
	}
	if err := putJSON(bucket, e.ID, row); err != nil {
		return err
	}
	if err := indexAdd(tx, "execution-index", e.JobID, e.ID); err != nil {
		return err
	}
	return appendLocalHistory(tx, &row, 0, "LocalExecutionState created")
}

func appendLocalHistory(tx *bbolt.Tx, row *localExecution, previous int, comment string) error {
	bucket, err := bucketAt(tx, "execution-history/"+row.Execution.ID, true)
	if err != nil {
		return err
	}
	return appendJSON(bucket, "%03d", localHistory{
		ExecutionID: row.Execution.ID, PreviousState: previous, NewState: row.State, NewVersion: row.Version,
		Comment: comment, Time: row.UpdateTime,
	})
}

func (s *executionStore) updateState(id string, expected, state int, comment string) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return updateLocalTx(tx, id, expected, state, comment) })
}

func updateLocalTx(tx *bbolt.Tx, id string, expected, state int, comment string) error {
	bucket := tx.Bucket([]byte("execution"))
	var row localExecution
	if err := json.Unmarshal(bucket.Get([]byte(id)), &row); err != nil {
		return err
	}
	if row.State != expected {
		return fmt.Errorf("execution %s is in state %d but expected %d", id, row.State, expected)
	}
	if row.State >= localCompleted {
		return fmt.Errorf("execution %s is in terminal state %d", id, row.State)
	}
	previous := row.State
	row.State = state
	row.Version++
	row.UpdateTime = time.Now()
	if err := putJSON(bucket, id, row); err != nil {
		return err
	}
	live := tx.Bucket([]byte("execution-live-index"))
	if state == localRunning || state == localPublishing {
		if err := live.Put([]byte(id), []byte{}); err != nil {
			return err
		}
	} else if err := live.Delete([]byte(id)); err != nil {
		return err
	}
	return appendLocalHistory(tx, &row, previous, comment)
}
