package main

import (
	"encoding/binary"
	"fmt"
	"sort"
	"time"

	"go.etcd.io/bbolt"
)

const (
	// jobsPerTransaction and rowsPerTransaction keep the transactions of a fill small enough for memory.
	jobsPerTransaction = 500
	rowsPerTransaction = 20_000
	evaluationsPerJob  = 2
	node               = "lisbon"
)

// stateFile is the state_boltdb.db of an orchestrator of v1.9 whose jobs are all over.
type stateFile struct {
	template *template
	// indexes has the rows of each index by its path, which are written last and in order.
	indexes map[string][]string
}

// outcome is how a job and its executions ended: the states by the names and numbers of v1.9.
type outcome struct {
	job       string
	execution int
	message   string
}

// outcomes is what jobs come to, by turns.
var outcomes = []outcome{
	{"Completed", 9, "Completed successfully"}, {"Completed", 9, "Completed successfully"},
	{"Completed", 9, "Completed successfully"}, {"Failed", 10, "exit code was not zero: 1"},
	{"Stopped", 11, "User requested to stop the job"},
}

// executionOf19 is an execution as v1.9 stores it: with the job, and of which version of it.
type executionOf19 struct {
	execution
	JobVersion uint64
}

// historyOf19 is an entry of the one history that a job has since v1.5.
type historyOf19 struct {
	SeqNum      uint64
	Type        string
	JobID       string
	JobVersion  uint64
	ExecutionID string `json:",omitempty"`
	Event       event
	Time        time.Time
}

// fillStateFile writes a file of finished jobs in the layout of v1.9, the same for the same numbers.
func fillStateFile(path string, t *template, jobs, executions int) (interface{}, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		return nil, err
	}
	f := &stateFile{template: t, indexes: map[string][]string{}}
	for done := 0; done < jobs; done += jobsPerTransaction {
		err := db.Update(func(tx *bbolt.Tx) error {
			for n := done; n < done+jobsPerTransaction && n < jobs; n++ {
				if err := f.fillJob(tx, n, executions/jobs); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if err := f.fillIndexes(db); err != nil {
		return nil, err
	}
	if err := db.Sync(); err != nil {
		return nil, err
	}
	return struct{}{}, db.Close()
}

func (f *stateFile) fillJob(tx *bbolt.Tx, n, executions int) error {
	j, end := f.job(n), outcomes[n%len(outcomes)]
	all, err := tx.CreateBucketIfNotExists([]byte("jobs"))
	if err != nil {
		return err
	}
	bucket, err := all.CreateBucket([]byte(j.ID))
	if err != nil {
		return err
	}
	below := map[string]*bbolt.Bucket{}
	for _, name := range []string{"evaluations", "executions", "history", "versions"} {
		if below[name], err = bucket.CreateBucket([]byte(name)); err != nil {
			return err
		}
	}
	submitted := j
	submitted.State, submitted.Revision, submitted.ModifyTime = jobState{StateType: "Pending"}, 1, j.CreateTime
	evaluations := f.evaluations(n, &j)
	for _, e := range evaluations {
		if err := putJSON(below["evaluations"], e.ID, e); err != nil {
			return err
		}
	}
	if err := f.addHistory(below["history"], &j, "", "Job submitted", "Submission"); err != nil {
		return err
	}
	for e := 0; e < executions; e++ {
		one := f.execution(&submitted, n*executions+e, end)
		one.EvalID = evaluations[0].ID
		if err := putJSON(below["executions"], one.ID, one); err != nil {
			return err
		}
		if err := f.addHistory(below["history"], &j, one.ID, end.message, "Execution"); err != nil {
			return err
		}
		f.addIndexes(one.ID+":"+j.ID, "idx_executions_by_node/"+node)
		f.addIndexes(j.ID, "idx_executions/"+one.ID)
	}
	if err := f.addHistory(below["history"], &j, "", end.job, "State Update"); err != nil {
		return err
	}
	f.addIndexes(j.ID, "idx_namespaces/"+j.Namespace, "idx_job_names/"+j.Name+":"+j.Namespace)
	for label := range j.Labels {
		f.addIndexes(j.ID, "idx_tags/"+label)
	}
	if err := putJSON(bucket, "spec", j); err != nil {
		return err
	}
	return putJSON(below["versions"], string(bigEndian(1)), j)
}

func (f *stateFile) job(n int) job {
	j := f.template.newJob("")
	j.ID = scattered("j-", n)
	j.Name = fmt.Sprintf("words-%07d", n)
	// A small job, as most are: with every execution v1.9 stores it again.
	j.Constraints = nil
	j.Tasks = []task{{Name: "main", Engine: j.Tasks[0].Engine, Resources: j.Tasks[0].Resources}}
	j.State, j.Version, j.Revision = jobState{StateType: outcomes[n%len(outcomes)].job}, 1, 3
	j.CreateTime = startOf(n).UnixNano()
	j.ModifyTime = endOf(n).UnixNano()
	return j
}

func (f *stateFile) evaluations(n int, j *job) []evaluation {
	evaluations := make([]evaluation, evaluationsPerJob)
	for i := range evaluations {
		evaluations[i] = evaluation{
			ID: scattered("v-", n*evaluationsPerJob+i), JobID: j.ID, TriggeredBy: "exec-update", Type: j.Type,
			Status: "pending", CreateTime: j.CreateTime, ModifyTime: j.CreateTime,
		}
		f.addIndexes(j.ID, "idx_evaluations/"+evaluations[i].ID)
	}
	evaluations[0].TriggeredBy = "job-register"
	return evaluations
}

func (f *stateFile) execution(j *job, n int, end outcome) executionOf19 {
	one := executionOf19{execution: f.template.newExecution(j), JobVersion: 1}
	one.ID, one.Job, one.NodeID = scattered("e-", n), j, node
	one.DesiredState = numericState{StateType: desiredStopped, Message: "execution " + end.message}
	one.ComputeState = numericState{StateType: end.execution, Message: end.message}
	one.PublishedResult = &specConfig{}
	one.RunOutput = &runOutput{Stdout: "counted 1,048,576 words in 3 files, 48,211 distinct\n"}
	one.Revision, one.CreateTime = 4, j.CreateTime
	one.ModifyTime = j.CreateTime + int64(time.Second)
	return one
}

func (f *stateFile) addHistory(bucket *bbolt.Bucket, j *job, execution, message, topic string) error {
	seq, err := bucket.NextSequence()
	if err != nil {
		return err
	}
	level := "JobLevel"
	if execution != "" {
		level = "ExecutionLevel"
	}
	at := time.Unix(0, j.CreateTime+int64(seq)*int64(time.Millisecond)).UTC()
	return putJSON(bucket, string(bigEndian(seq)), historyOf19{
		SeqNum: seq, Type: level, JobID: j.ID, JobVersion: 1, ExecutionID: execution,
		Event: event{Message: message, Topic: topic, Timestamp: at}, Time: at,
	})
}

func (f *stateFile) addIndexes(key string, paths ...string) {
	for _, path := range paths {
		f.indexes[path] = append(f.indexes[path], key)
	}
}

// fillIndexes writes the indexes in order, and those that finished jobs leave empty.
func (f *stateFile) fillIndexes(db *bbolt.DB) error {
	paths := make([]string, 0, len(f.indexes))
	for path := range f.indexes {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	tx, rows := (*bbolt.Tx)(nil), 0
	for _, path := range paths {
		keys := f.indexes[path]
		sort.Strings(keys)
		for _, key := range keys {
			if rows%rowsPerTransaction == 0 {
				if err := next(db, &tx); err != nil {
					return err
				}
			}
			rows++
			if err := indexAdd(tx, path, "", key); err != nil {
				return err
			}
		}
	}
	if err := next(db, &tx); err != nil {
		return err
	}
	for _, name := range []string{"idx_inprogress", "idx_inprogress_executions", "v1_checkpoints", "v1_events"} {
		if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// next commits a transaction, if there is one, and begins another.
func next(db *bbolt.DB, tx **bbolt.Tx) (err error) {
	if *tx != nil {
		if err = (*tx).Commit(); err != nil {
			return err
		}
	}
	*tx, err = db.Begin(true)
	return err
}

// startOf is when a job was submitted: one every ten seconds.
func startOf(n int) time.Time {
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * 10 * time.Second)
}

func endOf(n int) time.Time { return startOf(n).Add(2 * time.Second) }

func bigEndian(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// scattered makes an id of a number; a multiplication scatters them, as random ones are.
func scattered(prefix string, n int) string {
	high, low := (uint64(n)+1)*0x9e3779b97f4a7c15, (uint64(n)+1)*0xbf58476d1ce4e5b9
	return fmt.Sprintf("%s%08x-%04x-4%03x-8%03x-%012x",
		prefix, high>>32, high>>16&0xffff, high&0xfff, low>>48&0xfff, low&0xffffffffffff)
}
