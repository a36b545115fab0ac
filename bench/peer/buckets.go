package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// openBolt opens a file as v1.4 does: a sync at every commit, the freelist written with it.
func openBolt(path string) (*bbolt.DB, error) {
	return bbolt.Open(path, 0o600, &bbolt.Options{Timeout: 2 * time.Second})
}

// bucketAt walks a path of nested buckets joined with "/", and makes what is missing where asked to.
func bucketAt(tx *bbolt.Tx, path string, create bool) (*bbolt.Bucket, error) {
	var bucket *bbolt.Bucket
	for i, name := range strings.Split(path, "/") {
		next, err := childBucket(tx, bucket, []byte(name), i == 0, create)
		if err != nil {
			return nil, fmt.Errorf("bucket %q in %q: %w", name, path, err)
		}
		bucket = next
	}
	return bucket, nil
}

func childBucket(tx *bbolt.Tx, parent *bbolt.Bucket, name []byte, top, create bool) (*bbolt.Bucket, error) {
	var found *bbolt.Bucket
	switch {
	case top && create:
		return tx.CreateBucketIfNotExists(name)
	case create:
		return parent.CreateBucketIfNotExists(name)
	case top:
		found = tx.Bucket(name)
	default:
		found = parent.Bucket(name)
	}
	if found == nil {
		return nil, bbolt.ErrBucketNotFound
	}
	return found, nil
}

// indexAdd puts an empty row into <index>/<section>.
func indexAdd(tx *bbolt.Tx, index, section, key string) error {
	path := index
	if section != "" {
		path += "/" + section
	}
	bucket, err := bucketAt(tx, path, true)
	if err != nil {
		return err
	}
	return bucket.Put([]byte(key), []byte(""))
}

func indexRemove(tx *bbolt.Tx, index, key string) error {
	bucket, err := bucketAt(tx, index, false)
	if err != nil {
		return err
	}
	return bucket.Delete([]byte(key))
}

func putJSON(bucket *bbolt.Bucket, key string, value interface{}) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return bucket.Put([]byte(key), data)
}

// appendJSON puts a value under the bucket's next sequence number, written as keyFormat says.
func appendJSON(bucket *bbolt.Bucket, keyFormat string, value interface{}) error {
	seq, err := bucket.NextSequence()
	if err != nil {
		return err
	}
	return putJSON(bucket, fmt.Sprintf(keyFormat, seq), value)
}

// usedBytes counts the pages in use: all up to the high-water mark but the free and the pending ones.
func usedBytes(db *bbolt.DB) (int64, error) {
	var size int64
	if err := db.View(func(tx *bbolt.Tx) error { size = tx.Size(); return nil }); err != nil {
		return 0, err
	}
	stats := db.Stats()
	return size - int64(stats.FreePageN+stats.PendingPageN)*int64(db.Info().PageSize), nil
}
