/**
 * The words of dictionary 1, frozen: folded records can only be read with the very bytes that they were written
 * with, so not one letter may ever change. It is a sample of what the records of one user looked like when that
 * format was made, a node whose jobs are of Bacalhau's shape; nothing here is read as anything but bytes, and jobs
 * of any other shape are folded with it too. The names of the store's own fields are most of what it is good for: a
 * job of another shape takes 4 % less with the rest than without it, one of that shape a third less.
 */
export const WORDS_1: string = [
  '"rerunnable":true,"attempt":"reason":"interrupted","PublishedResult":"NodeID":"n-","ExitCode":"0","resources":{"gpu":0,"disk":0,',
  '"stdout":"","stdoutTruncated":false,"stderr":"","stderrTruncated":false,"exitCode":0,"errorMsg":"","exitCode":1,"errorMsg":"',
  '"h":"held","dl":179,"k":"","pt":0,"pe":"e-","pc":{"pid":1,"startTime":"","bootId":""},"a":1,"ar":5,"rr":true,"cr":3,"q":"n-',
  '"name":"","Name":"","Namespace":"default","Type":"","Value":"","Priority":0,"Count":1,"Labels":{},"Meta":{},"Constraints":[],"Tasks":[{',
  '"http://","https://","ipfs","urlDownload","localDirectory","SourcePath":"/","ReadWrite":false,"URL":"https://","CID":"Qm","s3","Filter":"",',
  '"ubuntu:latest","python:3","alpine","bash","-c","sh","/bin/sh","echo","--","/app/main.py","python3","/data","/work","main.wasm","_start",',
  '"meta":{"id":"","requester.id":"n-","client.id":"","labels":{"env":"prod","team":"","project":"","region":"","arch":"amd64","os":"linux"},',
  '"constraints":[{"Key":"","Operator":"in","Values":["","="]}],"constraints":[],"tasks":[{"Name":"main","Engine":{"Type":"exec","Params":{"Command":"","Arguments":[',
  '"Engine":{"Type":"wasm","Params":{"EntryModule":{"Source":{"Type":"inline","Params":{"URL":"data:"}},"Alias":"main","Target":"/"},"Entrypoint":"_start","Parameters":[],"ImportModules":[]',
  '"Engine":{"Type":"noop","Params":{"DurationMs":0,"ExitCode":0,"FailMessage":""}},',
  '"Engine":{"Type":"docker","Params":{"Image":"","Entrypoint":null,"Parameters":["","/inputs/","/outputs/"],"EnvironmentVariables":["PATH=","LANG=C.UTF-8"],"WorkingDirectory":"/"}},',
  '"Publisher":{"Type":"local","Params":{}},"Publisher":{"Type":"","Params":{}},"Publisher":{"Type":"s3","Params":{"Bucket":"","Key":"/{jobID}/{executionID}","Region":"us-east-1","Endpoint":""}},',
  '"Env":{},"InputSources":[],"InputSources":[{"Source":{"Type":"s3","Params":{"Bucket":"","Key":"","Region":"eu-west-1"}},"Alias":"","Target":"/inputs"}],',
  '"ResultPaths":[],"ResultPaths":[{"Name":"outputs","Path":"/outputs"}],"Resources":{"CPU":"","Memory":"","Disk":"","GPU":""},"Resources":{"CPU":"500m","Memory":"512mb"},',
  '"Network":{"Type":"None","Domains":[],"Ports":[]},"Network":{"Type":"None"},"Timeouts":{"ExecutionTimeout":0,"QueueTimeout":0,"TotalTimeout":0}}]}',
  '"Timeouts":{"ExecutionTimeout":1800,"TotalTimeout":3600}}]},"at":179',
  '"pr":{"Type":"local","Params":{"path":"","size":0}},"pr":{"type":"s3","params":{"bucket":"","key":"","region":""}},"rs":{"tasks":{"main":{"cpu":1,"memory":1000000000,"CPU":1,"Memory":512000000,"Disk":0,"GPU":0}}},',
  '"ro":{"stdout":"","stdoutTruncated":false,"stderr":"","stderrTruncated":false,"exitCode":0,"errorMsg":""}}',
  ',"m":"Job queued","m":"Job rerun","m":"Job updated","m":"Job stopped","m":"Execution failed","m":"Execution cancelled","m":"Began before it was approved","m":"Requested execution on n-',
  ',"t":"Recovery","t":"Restart","t":"Exec Timeout","t":"Bidding","t":"Running Execution","m":"Publishing","m":"Completed","d":{"NodeID":"n-',
  ',"p":"Pending","s":"Queued","s":"Stopped","p":"Queued","s":"Running","p":"Running","s":"Failed","s":"Cancelled","s":"AskForBidRejected","s":"BidRejected","p":"Created","s":"Created"',
  '"v":1,"s":"Created","r":1,"m":"Execution created"}\n{"at":179","v":1,"p":"Created","s":"BidAccepted","r":2,"m":"Bid accepted","t":"Scheduling"',
  ',"p":"BidAccepted","s":"Running","r":3,"m":"Execution started","p":"Running","s":"Publishing","r":4,"p":"Publishing","s":"Completed","r":5,"m":"Execution completed"}',
  ',"s":"Completed","ss":179,"rs":{"tasks":{"main":{"r":5,"c":179,"md":179,"b":1,"m":"Execution completed","f":179}\n{"id":"j-","version":1,"namespace":"default","name":"j-","type":"batch","priority":0,"spec":{',
  '{"ns":"default","t":"service","t":"daemon","t":"ops","t":"batch","p":0,"v":1,"r":3,"s":"Completed","ss":179,"c":179,"md":179,"b":1,"m":"Job completed","f":179}\n{"n":"j-","p":0,"c":1,"l":{"":""},"spec":{',
  ',"at":179}\n{"j":"j-","v":1,"ns":"default","n":"n-","ev":"v-","s":"Completed","ss":179,"d":"Stopped","rs":{"r":6,"c":179,"md":179,"cr":3,"dm":"execution completed","m":"Execution completed","f":179,"pr":{"ro":{',
  '\n{"at":179,"v":1,"s":"Pending","r":1,"m":"Job submitted","t":"Submission"}\n{"at":179,"v":1,"e":"e-","n":"n-","s":"New","r":1,"m":"Requested execution on n-","t":"Scheduling"}',
  '\n{"at":179,"v":1,"p":"Pending","s":"Running","r":2,"m":"Job running","t":"Scheduling"}\n{"at":179,"v":1,"e":"e-',
  ',"p":"New","s":"AskForBid","r":2,"m":"Asked for a bid","t":"Scheduling"}\n{"at":179,"v":1,"e":"e-","p":"AskForBid","s":"AskForBidAccepted","r":3,"m":"Bid accepted","t":"Scheduling"}',
  '\n{"at":179,"v":1,"e":"e-","p":"AskForBidAccepted","s":"AskForBidAccepted","r":4,"m":"Execution approved","t":"Scheduling"}',
  '\n{"at":179,"v":1,"e":"e-","p":"AskForBidAccepted","s":"BidAccepted","r":5,"m":"Execution running","t":"Scheduling"}',
  '\n{"at":179,"v":1,"e":"e-","p":"BidAccepted","s":"Completed","r":6,"m":"Execution completed","t":"Scheduling"}',
  '\n{"at":179,"v":1,"p":"Running","s":"Completed","r":3,"m":"Job completed","t":"Scheduling"}',
].join('')
