package main

import "go.etcd.io/bbolt"

// finishJob brings a job from nothing to Completed in the eleven transactions that v1.4 needs for it.
func finishJob(s *jobStore, t *template) error {
	j := t.newJob("")
	e := t.newExecution(&j)
	asked, accepted := []int{execAskForBid, execNew}, []int{execAskForBidAccepted}
	update := func(expected []int, message string, change func(*execution)) func() error {
		return func() error { return s.updateExecution(e.ID, expected, message, change) }
	}
	state := func(to int) func(*execution) {
		return func(e *execution) { e.ComputeState = numericState{StateType: to} }
	}
	steps := []func() error{
		func() error { return s.createJob(j) },
		func() error { return s.createEvaluation(t.newEvaluation(&j, "job-register")) },
		func() error { return s.db.Update(func(tx *bbolt.Tx) error { return createExecutionTx(tx, e) }) },
		update([]int{execNew}, "Asked for a bid", state(execAskForBid)),
		update(asked, "Bid accepted by the node", state(execAskForBidAccepted)),
		func() error { return s.createEvaluation(t.newEvaluation(&j, "exec-update")) },
		func() error { return s.db.Update(func(tx *bbolt.Tx) error { return approveTx(tx, &j, &e) }) },
		update(accepted, "Execution running", state(execBidAccepted)),
		update([]int{execBidAccepted, execAskForBidAccepted, execNew}, "Execution completed", complete),
		func() error { return s.createEvaluation(t.newEvaluation(&j, "exec-update")) },
		func() error {
			return s.db.Update(func(tx *bbolt.Tx) error {
				return updateJobStateTx(tx, j.ID, "Completed", "Job completed")
			})
		},
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func approveTx(tx *bbolt.Tx, j *job, e *execution) error {
	err := updateExecutionTx(tx, e.ID, nil, "Execution approved", func(e *execution) {
		e.DesiredState = numericState{StateType: desiredRunning, Message: "execution should run"}
	})
	if err != nil {
		return err
	}
	return updateJobStateTx(tx, j.ID, "Running", "Job running")
}

func complete(e *execution) {
	e.ComputeState = numericState{StateType: execCompleted}
	e.DesiredState = numericState{StateType: desiredStopped, Message: "execution completed"}
	e.PublishedResult = &specConfig{Type: "s3", Params: map[string]interface{}{
		"Bucket": "results", "Key": "wordcount/" + e.JobID + "/" + e.ID, "Region": "eu-west-1",
	}}
	e.RunOutput = &runOutput{Stdout: "counted 1,048,576 words in 3 files, 48,211 distinct\n"}
}

// localLife is the way of an execution through the compute store, with the comment of each step.
var localLife = []struct {
	from, to int
	comment  string
}{
	{localCreated, localBidAccepted, "bid accepted"},
	{localBidAccepted, localRunning, "execution started"},
	{localRunning, localPublishing, "publishing the results"},
	{localPublishing, localCompleted, "execution completed"},
}

func finishExecution(s *executionStore, t *template) error {
	j := t.newJob("")
	e := t.newExecution(&j)
	if err := s.create(&e); err != nil {
		return err
	}
	for _, step := range localLife {
		if err := s.updateState(e.ID, step.from, step.to, step.comment); err != nil {
			return err
		}
	}
	return nil
}
