package main

import (
	"encoding/json"
	"time"

	"go.etcd.io/bbolt"
)

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
		if len(value) == 0 {
			return nil
		}
		result.Sum += uint32(value[len(value)-1]) + uint32(value[len(value)/2])
		// Checkpoints are numbers, and no JSON.
		if parse && value[0] == '{' {
			var record map[string]interface{}
			return json.Unmarshal(value, &record)
		}
		return nil
	})
}
