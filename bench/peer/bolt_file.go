package main

import (
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// jobsPerTransaction keeps the transactions of a fill small enough for memory.
const jobsPerTransaction = 500

// fillBolt writes a file in the layout of v1.9: a bucket for each job, with its record and a bucket of executions.
func fillBolt(path string, jobs, executions int) (interface{}, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		return nil, err
	}
	perJob := executions / jobs
	for done := 0; done < jobs; done += jobsPerTransaction {
		err := db.Update(func(tx *bbolt.Tx) error {
			all, err := tx.CreateBucketIfNotExists([]byte("jobs"))
			if err != nil {
				return err
			}
			for n := done; n < done+jobsPerTransaction && n < jobs; n++ {
				if err := fillJob(all, n, perJob); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if err := db.Sync(); err != nil {
		return nil, err
	}
	return struct{}{}, db.Close()
}

func fillJob(all *bbolt.Bucket, n, executions int) error {
	// A multiplication scatters the ids, as random ones are.
	id := fmt.Sprintf("j-%016x", uint64(n)*0x9e3779b97f4a7c15)
	job, err := all.CreateBucket([]byte(id))
	if err != nil {
		return err
	}
	text := map[string]interface{}{"ID": id, "Name": fmt.Sprintf("job %d", n), "Type": "batch", "Text": filler}
	if err := putJSON(job, "spec", text); err != nil {
		return err
	}
	below, err := job.CreateBucket([]byte("executions"))
	if err != nil {
		return err
	}
	for e := 0; e < executions; e++ {
		key := fmt.Sprintf("e-%016x", uint64(n*executions+e)*0x9e3779b97f4a7c15)
		if err := putJSON(below, key, map[string]interface{}{"ID": key, "JobID": id, "Text": filler}); err != nil {
			return err
		}
	}
	return nil
}

// filler makes records as long as those of small jobs are.
var filler = fmt.Sprintf("%0600d", 0)

type walked struct {
	Seconds float64 `json:"seconds"`
	Rows    int     `json:"rows"`
	Bytes   int     `json:"bytes"`
	Sum     uint32  `json:"sum"`
}

// walkBolt reads every value of a file; where parse is set it decodes each as JSON.
func walkBolt(path string, parse bool) (interface{}, error) {
	start := time.Now()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	var result walked
	err = db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, bucket *bbolt.Bucket) error { return walkBucket(bucket, parse, &result) })
	})
	result.Seconds = time.Since(start).Seconds()
	return result, err
}

func walkBucket(bucket *bbolt.Bucket, parse bool, result *walked) error {
	return bucket.ForEach(func(key, value []byte) error {
		if value == nil {
			return walkBucket(bucket.Bucket(key), parse, result)
		}
		result.Rows++
		result.Bytes += len(key) + len(value)
		result.Sum += uint32(value[len(value)-1]) + uint32(value[len(value)/2])
		if parse {
			var record map[string]interface{}
			return json.Unmarshal(value, &record)
		}
		return nil
	})
}
