package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"os"
	"time"
)

// The records below carry the fields that the v1.4 node stores, under the names that it gives them in JSON.

type specConfig struct {
	Type   string
	Params map[string]interface{} `json:",omitempty"`
}

type resourcesConfig struct {
	CPU    string `json:",omitempty"`
	Memory string `json:",omitempty"`
	Disk   string `json:",omitempty"`
	GPU    string `json:",omitempty"`
}

type networkConfig struct {
	Type    string
	Domains []string `json:",omitempty"`
}

type timeoutConfig struct {
	ExecutionTimeout int64 `json:",omitempty"`
	QueueTimeout     int64 `json:",omitempty"`
	TotalTimeout     int64 `json:",omitempty"`
}

type inputSource struct {
	Source specConfig
	Alias  string
	Target string
}

type resultPath struct {
	Name string
	Path string
}

type task struct {
	Name         string
	Engine       specConfig
	Publisher    specConfig
	Env          map[string]string `json:",omitempty"`
	Meta         map[string]string `json:",omitempty"`
	InputSources []inputSource     `json:",omitempty"`
	ResultPaths  []resultPath      `json:",omitempty"`
	Resources    *resourcesConfig  `json:",omitempty"`
	Network      *networkConfig    `json:",omitempty"`
	Timeouts     *timeoutConfig    `json:",omitempty"`
}

type constraint struct {
	Key      string
	Operator string
	Values   []string `json:",omitempty"`
}

// jobState is a state by name, as jobs carry it.
type jobState struct {
	StateType string
	Message   string
}

type job struct {
	ID          string
	Name        string
	Namespace   string
	Type        string
	Priority    int
	Count       int
	Constraints []constraint
	Meta        map[string]string
	Labels      map[string]string
	Tasks       []task
	State       jobState
	Version     uint64
	Revision    uint64
	CreateTime  int64
	ModifyTime  int64
}

// numericState is a state by number, as executions carry it.
type numericState struct {
	StateType int
	Message   string `json:",omitempty"`
}

type resources struct {
	CPU    float64 `json:",omitempty"`
	Memory uint64  `json:",omitempty"`
	Disk   uint64  `json:",omitempty"`
	GPU    uint64  `json:",omitempty"`
}

type allocatedResources struct {
	Tasks map[string]resources
}

type runOutput struct {
	Stdout          string
	StdoutTruncated bool
	Stderr          string `json:"stderr"`
	StderrTruncated bool
	ExitCode        int
	ErrorMsg        string
}

type execution struct {
	ID                 string
	Namespace          string
	EvalID             string
	Name               string
	NodeID             string
	JobID              string
	Job                *job `json:",omitempty"`
	AllocatedResources *allocatedResources
	DesiredState       numericState
	ComputeState       numericState
	PublishedResult    *specConfig
	RunOutput          *runOutput
	PreviousExecution  string
	NextExecution      string
	FollowupEvalID     string
	Revision           uint64
	CreateTime         int64
	ModifyTime         int64
}

// Requester numbers of an execution's state at v1.4.
const (
	execNew = 1 + iota
	execAskForBid
	execAskForBidAccepted
	execAskForBidRejected
	execBidAccepted
	execBidRejected
	execCompleted
	execFailed
	execCancelled
)

// Numbers of an execution's desired state.
const (
	desiredPending = iota
	desiredRunning
	desiredStopped
)

type evaluation struct {
	ID          string
	Namespace   string
	JobID       string
	TriggeredBy string
	Priority    int
	Type        string
	Status      string
	Comment     string
	WaitUntil   time.Time
	CreateTime  int64
	ModifyTime  int64
}

type event struct {
	Message   string
	Topic     string
	Timestamp time.Time
	Details   map[string]string `json:",omitempty"`
}

type nameChange struct {
	Previous string
	New      string
}

type numberChange struct {
	Previous int
	New      int
}

type jobHistory struct {
	Type           string
	JobID          string
	NodeID         string        `json:",omitempty"`
	ExecutionID    string        `json:",omitempty"`
	JobState       *nameChange   `json:",omitempty"`
	ExecutionState *numberChange `json:",omitempty"`
	NewRevision    uint64
	Comment        string `json:",omitempty"`
	Event          event
	Time           time.Time
}

// localExecution is the row of the compute node's store: the whole execution with its job, and a state.
type localExecution struct {
	Execution       *execution
	RequesterNodeID string
	State           int
	Version         int
	CreateTime      time.Time
	UpdateTime      time.Time
	LatestComment   string
}

// Compute numbers of an execution's state at v1.4.
const (
	localCreated = 1 + iota
	localBidAccepted
	localRunning
	localPublishing
	localCompleted
	localFailed
	localCancelled
)

type localHistory struct {
	ExecutionID   string
	PreviousState int
	NewState      int
	NewVersion    int
	Comment       string
	Time          time.Time
}

func newID(prefix string) string {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err)
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return prefix + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// template is the job that every new job copies; the harness hands its file to both sides.
type template struct {
	job    job
	nodeID string
}

func loadTemplate(path string) (*template, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t := &template{nodeID: newID("n-")}
	return t, json.Unmarshal(raw, &t.job)
}

func (t *template) newJob(namespace string) job {
	j := t.job
	j.ID = newID("j-")
	j.Name = j.ID
	if namespace != "" {
		j.Namespace = namespace
	}
	return j
}

func (t *template) newEvaluation(j *job, trigger string) evaluation {
	now := time.Now().UTC().UnixNano()
	return evaluation{
		ID: newID(""), Namespace: j.Namespace, JobID: j.ID, TriggeredBy: trigger,
		Type: j.Type, Status: "pending", CreateTime: now, ModifyTime: now,
	}
}

func (t *template) newExecution(j *job) execution {
	return execution{
		ID: newID("e-"), Namespace: j.Namespace, EvalID: newID(""), NodeID: t.nodeID, JobID: j.ID, Job: j,
		AllocatedResources: &allocatedResources{Tasks: map[string]resources{
			"main": {CPU: 0.5, Memory: 512000000},
		}},
		ComputeState: numericState{StateType: execNew},
		DesiredState: numericState{StateType: desiredPending},
	}
}
