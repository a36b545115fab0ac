package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// jobStore is the requester's store: a bucket for each job, and index buckets beside it.
type jobStore struct{ db *bbolt.DB }

func openJobStore(path string) (*jobStore, error) {
	db, err := openBolt(path)
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range []string{
			"jobs", "idx_tags", "idx_inprogress", "idx_namespaces", "idx_executions", "idx_evaluations",
		} {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
	return &jobStore{db}, err
}

func (s *jobStore) createJob(j job) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return createJobTx(tx, j) })
}

func createJobTx(tx *bbolt.Tx, j job) error {
	j.State = jobState{StateType: "Pending"}
	j.Revision = 1
	j.Version = 1
	j.CreateTime = time.Now().UTC().UnixNano()
	j.ModifyTime = j.CreateTime
	jobs := tx.Bucket([]byte("jobs"))
	if jobs.Bucket([]byte(j.ID)) != nil {
		return errors.New("job already exists: " + j.ID)
	}
	bucket, err := jobs.CreateBucket([]byte(j.ID))
	if err != nil {
		return err
	}
	for _, name := range []string{"executions", "evaluations", "job_history", "execution_history"} {
		if _, err := bucket.CreateBucketIfNotExists([]byte(name)); err != nil {
			return err
		}
	}
	if err := putJSON(bucket, "spec", j); err != nil {
		return err
	}
	if err := indexAdd(tx, "idx_inprogress", "", j.Type+":"+j.ID); err != nil {
		return err
	}
	if err := indexAdd(tx, "idx_namespaces", j.Namespace, j.ID); err != nil {
		return err
	}
	for label := range j.Labels {
		if err := indexAdd(tx, "idx_tags", strings.ToLower(label), j.ID); err != nil {
			return err
		}
	}
	return appendJobHistory(tx, &j, "Pending", "Job submitted")
}

func appendJobHistory(tx *bbolt.Tx, j *job, previous, message string) error {
	bucket, err := bucketAt(tx, "jobs/"+j.ID+"/job_history", true)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	return appendJSON(bucket, "%016d", jobHistory{
		Type: "JobLevel", JobID: j.ID, JobState: &nameChange{previous, j.State.StateType},
		NewRevision: j.Revision,
		Event:       event{Message: message, Topic: "Submission", Timestamp: now}, Time: time.Unix(0, j.ModifyTime),
	})
}

func getJobTx(tx *bbolt.Tx, id string) (job, error) {
	var j job
	bucket, err := bucketAt(tx, "jobs/"+id, false)
	if err != nil {
		return j, err
	}
	return j, json.Unmarshal(bucket.Get([]byte("spec")), &j)
}

func (s *jobStore) getJob(id string) (j job, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error { j, err = getJobTx(tx, id); return err })
	return j, err
}

func isTerminalJob(state string) bool {
	return state == "Completed" || state == "Failed" || state == "Stopped"
}

func updateJobStateTx(tx *bbolt.Tx, id, state, message string) error {
	j, err := getJobTx(tx, id)
	if err != nil {
		return err
	}
	if isTerminalJob(j.State.StateType) {
		return fmt.Errorf("job %s is in terminal state %s", id, j.State.StateType)
	}
	previous := j.State.StateType
	j.State = jobState{StateType: state, Message: message}
	j.Revision++
	j.ModifyTime = time.Now().UTC().UnixNano()
	bucket, err := bucketAt(tx, "jobs/"+id, true)
	if err != nil {
		return err
	}
	if err := putJSON(bucket, "spec", j); err != nil {
		return err
	}
	if isTerminalJob(state) {
		if err := indexRemove(tx, "idx_inprogress", j.Type+":"+j.ID); err != nil {
			return err
		}
	}
	return appendJobHistory(tx, &j, previous, message)
}

func (s *jobStore) createEvaluation(e evaluation) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		if _, err := getJobTx(tx, e.JobID); err != nil {
			return err
		}
		bucket, err := bucketAt(tx, "jobs/"+e.JobID+"/evaluations", true)
		if err != nil {
			return err
		}
		if bucket.Get([]byte(e.ID)) != nil {
			return errors.New("evaluation already exists: " + e.ID)
		}
		if err := putJSON(bucket, e.ID, e); err != nil {
			return err
		}
		return indexAdd(tx, "idx_evaluations", e.ID, e.JobID)
	})
}

func createExecutionTx(tx *bbolt.Tx, e execution) error {
	e.Job = nil
	e.Revision = 1
	e.CreateTime = time.Now().UTC().UnixNano()
	e.ModifyTime = e.CreateTime
	if _, err := getJobTx(tx, e.JobID); err != nil {
		return err
	}
	bucket, err := bucketAt(tx, "jobs/"+e.JobID+"/executions", true)
	if err != nil {
		return err
	}
	if bucket.Get([]byte(e.ID)) != nil {
		return errors.New("execution already exists: " + e.ID)
	}
	if err := putJSON(bucket, e.ID, e); err != nil {
		return err
	}
	if err := indexAdd(tx, "idx_executions", e.ID, e.JobID); err != nil {
		return err
	}
	return appendExecutionHistory(tx, &e, execNew, "Requested execution on "+e.NodeID)
}

func appendExecutionHistory(tx *bbolt.Tx, e *execution, previous int, message string) error {
	bucket, err := bucketAt(tx, "jobs/"+e.JobID+"/execution_history", true)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	return appendJSON(bucket, "%016d", jobHistory{
		Type: "ExecutionLevel", JobID: e.JobID, NodeID: e.NodeID, ExecutionID: e.ID,
		ExecutionState: &numberChange{previous, e.ComputeState.StateType},
		NewRevision:    e.Revision,
		Event:          event{Message: message, Topic: "Scheduling", Timestamp: now}, Time: time.Unix(0, e.ModifyTime),
	})
}

func isTerminalExecution(state int) bool {
	return state == execAskForBidRejected || state >= execBidRejected
}

// updateExecutionTx finds the job by the index, rewrites the whole row and appends to the history.
func updateExecutionTx(tx *bbolt.Tx, id string, expected []int, message string, change func(*execution)) error {
	index, err := bucketAt(tx, "idx_executions/"+id, false)
	if err != nil {
		return err
	}
	jobID, _ := index.Cursor().First()
	bucket, err := bucketAt(tx, "jobs/"+string(jobID)+"/executions", false)
	if err != nil {
		return err
	}
	var e execution
	if err := json.Unmarshal(bucket.Get([]byte(id)), &e); err != nil {
		return err
	}
	previous := e.ComputeState.StateType
	if len(expected) > 0 && !contains(expected, previous) {
		return fmt.Errorf("execution %s is in state %d but expected one of %v", id, previous, expected)
	}
	if isTerminalExecution(previous) {
		return fmt.Errorf("execution %s is in terminal state %d", id, previous)
	}
	change(&e)
	e.Revision++
	e.ModifyTime = time.Now().UTC().UnixNano()
	if err := putJSON(bucket, id, e); err != nil {
		return err
	}
	return appendExecutionHistory(tx, &e, previous, message)
}

func contains(list []int, wanted int) bool {
	for _, one := range list {
		if one == wanted {
			return true
		}
	}
	return false
}

func (s *jobStore) updateExecution(id string, expected []int, message string, change func(*execution)) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return updateExecutionTx(tx, id, expected, message, change) })
}

// listJobs decodes every job of the namespace, sorts newest first, and slices a page out of that.
func (s *jobStore) listJobs(namespace string, offset, limit int) (page []job, err error) {
	var all []job
	err = s.db.View(func(tx *bbolt.Tx) error {
		index, err := bucketAt(tx, "idx_namespaces/"+namespace, false)
		if err != nil {
			return err
		}
		return index.ForEach(func(id, _ []byte) error {
			j, err := getJobTx(tx, string(id))
			all = append(all, j)
			return err
		})
	})
	sort.Slice(all, func(a, b int) bool { return all[a].CreateTime > all[b].CreateTime })
	if offset >= len(all) {
		return nil, err
	}
	if end := offset + limit; end < len(all) {
		return all[offset:end], err
	}
	return all[offset:], err
}
