// Command peer writes as the stores of a Bacalhau v1.4 node do: bbolt, one update transaction for each
// operation with a sync at its commit, JSON values, nested buckets as indexes. It is what the benchmark
// measures this project against.
//
// It reads one JSON request a line from its input, and answers each with one line of JSON.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	var p peer
	for lines.Scan() {
		var r request
		answer, err := interface{}(nil), json.Unmarshal(lines.Bytes(), &r)
		if err == nil {
			answer, err = p.run(r)
		}
		if err != nil {
			answer = map[string]string{"error": fmt.Sprintf("%s: %v", r.Op, err)}
		}
		if err := answers.Encode(answer); err != nil {
			os.Exit(1)
		}
	}
	if err := p.close(); err != nil {
		fmt.Fprintln(os.Stderr, "peer: closing the store:", err)
		os.Exit(1)
	}
}
