import type { Release } from '../official-programs.ts'

/** A command line of a day. */
export interface DayCommand {
  readonly line: string
  readonly input?: string
  /** Ended after so long; a minute else. */
  readonly seconds?: number
}

const PAGES = ['--hide-header', '--no-style', '--wide', '--order-reversed', '--limit 2']
const FORMATS = ['--output csv', '--output json', '--output json --pretty', '--output yaml', '--output table']

/** The commands of a short day: what everybody uses, each once. */
export function shortDay(release: Release): readonly DayCommand[] {
  const isNew = release === '1.9.3'
  return commands([
    'version',
    'agent alive',
    'agent version',
    'agent node',
    'wasm run nothing.wasm',
    'job run first.yaml',
    'job run first.yaml --dry-run',
    ...(isNew ? ['job run first.yaml --id-only', 'job run first.yaml --force --node-details'] : []),
    'job run service.yaml --wait=false',
    'job list',
    'job list --order-by modified_at --order-reversed --limit 2',
    'job list --labels a=b',
    'job describe {id:first}',
    'job executions {id:first}',
    'job history {id:first}',
    'job get {id:first} --output-dir got',
    ...(isNew ? ['job versions first', 'job rerun first'] : []),
    'job describe {id:service}',
    'job stop {id:service}',
    'node list',
    'node list --show labels,capacity',
    'node describe lisbon',
    'job describe none',
    ...logs(['job logs {id:first}', 'job logs -f {id:first}']),
  ])
}

/** The commands of a long day: each flag of each of them, and each way in which a job can end. */
export function longDay(release: Release): readonly DayCommand[] {
  return [
    ...aboutTheNode(release),
    ...submitted(release),
    ...ofModules(release),
    ...listed(release),
    ...described(release),
    ...fetched(release),
    ...stopped(release),
  ]
}

/** What somebody does who looks after a requester and the compute nodes porto and faro. */
export function networkDay(): readonly DayCommand[] {
  return commands([
    ...each('node list', ['--hide-header', '--order-by id', '--output csv', '--filter-status connected']),
    'node describe porto',
    'node describe none',
    ...each('node reject', ['porto', 'porto', 'none']),
    ...each('node list --filter-approval', ['rejected', 'approved']),
    ...each('node approve', ['porto -m ours', 'porto', 'none']),
    'node list --order-by id',
    ...each('node delete', ['none', 'porto']),
  ])
}

function commands(lines: readonly (string | DayCommand)[]): readonly DayCommand[] {
  return lines.map((line) => (typeof line === 'string' ? { line } : line))
}

/** The real v1.9.3 does not end these. */
function logs(lines: readonly string[]): readonly DayCommand[] {
  return lines.map((line) => ({ line, seconds: 3 }))
}

function each(command: string, flags: readonly string[]): readonly string[] {
  return flags.map((flag) => `${command} ${flag}`.trim())
}

function aboutTheNode(release: Release): readonly DayCommand[] {
  const orders = [
    'id',
    'type',
    'available_cpu',
    'available_memory',
    'available_disk',
    'available_gpu',
    'status',
  ]
  return commands([
    ...each('version', ['', '--client', ...PAGES.slice(0, 3), ...FORMATS]),
    ...each('agent alive', ['', '--output json --pretty']),
    ...each('agent version', ['', '--output json --pretty', '--output yaml']),
    ...each('agent node', ['', '--output json --pretty']),
    ...(release === '1.9.3' ? each('agent config', ['--output json --pretty', '--output yaml']) : []),
    ...each('node list', [
      ...['', ...PAGES, ...FORMATS, '--next-token garbage', '--labels zone=mars', '--labels name=lisbon'],
      ...each('--filter-approval', ['approved', 'pending', 'nonsense']),
      ...each('--filter-status', ['connected', 'disconnected', 'nonsense']),
      ...each('--order-by', [...orders, 'nonsense']),
      ...each('--show', ['labels', 'version', 'features', 'capacity', 'version,features', 'nonsense']),
    ]),
    ...each('node describe lisbon', ['', '--output json', '--output json --pretty', '--output yaml']),
    'node describe none',
  ])
}

function submitted(release: Release): readonly DayCommand[] {
  const isNew = release === '1.9.3'
  return commands([
    'job run quiet.yaml',
    'job run first.yaml',
    ...each('job run', ['first.yaml', 'new.yaml', 'changed.yaml']).map((line) => `${line} --dry-run`),
    'job run first.yaml',
    ...(isNew ? each('job run first.yaml --force', ['', '--group-events', '--hide-warnings']) : []),
    ...(isNew ? [] : ['job run first.yaml --show-warnings']),
    'job run ops.yaml --id-only',
    { line: 'job run followed.yaml --follow', seconds: 6 },
    'job run details.yaml --node-details',
    ...each('job run template.yaml', [
      ...['', '--no-template', '-V name=one', '--template-vars name=two -E ^APP_'],
      ...['-V name=three --template-envs ^APP_', '-V name=four --dry-run'],
    ]),
    { line: 'job run', input: '{"Name":"typed","Type":"batch"}' },
    ...each('job run', ['bad.yaml', 'wrong.yaml', 'empty.yaml', 'none.yaml']),
    ...each('job validate', ['first.yaml', 'bad.yaml', 'wrong.yaml']),
    ...each('job run', ['two.yaml', 'trap.yaml', 'exit.yaml', 'late.yaml', 'huge.yaml', 'nowhere.yaml']),
    'job run slow.yaml --wait=false',
    { line: 'job run waited.yaml --wait --wait-timeout-secs 1', seconds: 4 },
    'job run service.yaml',
    'job run daemon.yaml',
    'job run other.yaml',
  ])
}

function ofModules(release: Release): readonly DayCommand[] {
  const isNew = release === '1.9.3'
  const flags = [
    ...[
      `--constraints ${isNew ? 'os_type' : 'Operating-System'}=linux`,
      '--count 1',
      '--cpu 100m',
      '--memory 64mb',
      '--disk 10mb',
      '--network none',
    ],
    ...['-e A=b', '-e C=d', '-l x=y', '--namespace default', '-o out:/outputs', '--priority 3', '-p local'],
    ...['--queue-timeout 30', '--timeout 60', '--target any', '--task-name job', '--entry-point _start'],
  ].join(' ')
  return commands([
    'wasm run nothing.wasm',
    { line: 'wasm run hello.wasm --follow', seconds: 6 },
    ...each('wasm run hello.wasm', ['--id-only', '--node-details', '--wait=false', '--wait-timeout-secs 20']),
    ...(isNew ? each('wasm run', ['hello.wasm --group-events', 'hello.wasm:/app/hello.wasm']) : []),
    `wasm run hello.wasm --dry-run --name shown --gpu 0 ${flags} -- one --two`,
    `wasm run hello.wasm --name flags ${flags} -- one --two`,
    'job describe {id:flags} --output yaml',
    'wasm run hello.wasm --target all --name everywhere',
    'wasm run hello.wasm --gpu 1 --name gpu',
    'wasm run hello.wasm --network http --domain example.org --name http',
    'wasm run hello.wasm --entry-point none --name entry',
    'wasm run hello.wasm -p s3://bucket/key --name s3',
    'wasm run hello.wasm -i ipfs://QmeZRGhe4PmjctYVSVHuEiA9oSXnqmYa4kQubSHgWbjv72:/in --name ipfs',
    'wasm run hello.wasm -i file:///tmp:/in --name local',
    'wasm run none.wasm',
    ...(isNew
      ? ['wasm run hello.wasm --dry-run -i http://127.0.0.1:9/lib.wasm:/lib.wasm -I /lib.wasm']
      : each('wasm run hello.wasm --dry-run', [
          ...['-U http://127.0.0.1:9/lib.wasm', '-I Qm1:/lib', '--ipfs-connect /ip4/127.0.0.1/tcp/9'],
        ])),
    'docker run --dry-run --name d ubuntu echo hi',
    'docker run --name docker ubuntu echo hi',
    ...(isNew ? [] : ['exec --dry-run python app.py', 'exec python app.py']),
  ])
}

function listed(release: Release): readonly DayCommand[] {
  const isNew = release === '1.9.3'
  const versions = ['--all-versions', '--version 1', '-v 2', '--version 9', '--namespace default']
  const orders = isNew ? ['modified_at', 'created_at'] : ['modify_time', 'create_time', 'id', 'state']
  return commands([
    ...each('job list', [
      ...['', ...PAGES, ...FORMATS.map((format) => `${format} --limit 1`), '--limit 0'],
      ...['--limit 2', '--limit 2 --next-token {next}', '--next-token garbage'],
      ...each('--labels', ['a=b', 'a', 'a!=b --limit 2', 'nonsense==']),
      ...each('--order-by', ['created_at --limit 3', 'id', 'nonsense']),
    ]),
    ...each('job executions {id:first}', [
      ...['', ...PAGES, ...FORMATS, ...each('--order-by', [...orders, 'nonsense'])],
      ...(isNew ? [...versions, '--all-versions --limit 1 --next-token {executions:first}'] : []),
      ...(isNew ? [] : ['--next-token garbage']),
    ]),
    'job executions none',
    ...each('job history {id:first}', [
      ...['', ...PAGES, ...FORMATS, '--order-by time', '--next-token {history:first} --limit 2'],
      ...each('--event-type', ['job', 'execution', 'all', 'nonsense']),
      ...each('--execution-id', ['{execution:first}', 'none']),
      ...(isNew ? versions : each('--node-id', ['lisbon', 'none'])),
    ]),
    'job history none',
    ...(isNew
      ? each('job versions first', ['', ...PAGES.slice(0, 3), ...FORMATS, '--namespace default'])
      : []),
    ...(isNew ? ['job versions none'] : []),
  ])
}

function described(release: Release): readonly DayCommand[] {
  const isNew = release === '1.9.3'
  const names = ['two', 'trap', 'exit', 'late', 'huge', 'nowhere', 'ops', 'service']
  return commands([
    ...names.flatMap((name) =>
      each(
        'job',
        ['describe', 'history'].map((what) => `${what} {id:${name}}`),
      ),
    ),
    ...each('job describe {id:first}', ['', '--output json', '--output json --pretty', '--output yaml']),
    ...each('job describe', ['{short:first}', 'none', '']),
    ...(isNew ? each('job describe first', ['--namespace default', '-v 1', '--version 9']) : []),
    ...logs([
      ...each('job logs {id:first}', ['', '-f', '--tail', '-e {execution:first}']),
      ...each('job logs', ['none', '{id:nowhere}', '{id:service} -f']),
      ...(isNew ? each('job logs first', ['--namespace default', '-v 1']) : []),
    ]),
  ])
}

function fetched(release: Release): readonly DayCommand[] {
  const isNew = release === '1.9.3'
  return commands([
    ...each('job get {id:first}', [
      '--output-dir got',
      '--output-dir raw --raw',
      '--download-timeout-secs 60s',
    ]),
    ...(isNew ? ['job get first --namespace default --output-dir named'] : []),
    ...(isNew ? [] : ['job get {id:first} --output-dir ipfs --ipfs-connect /ip4/127.0.0.1/tcp/9']),
    ...each('job get', ['none', '{id:service}', '{id:trap}', '{id:first}/stdout']),
  ])
}

function stopped(release: Release): readonly DayCommand[] {
  const isNew = release === '1.9.3'
  return commands([
    'job stop {id:slow}',
    'job stop {id:waited} --quiet',
    ...(isNew ? ['job stop daemon --namespace default'] : []),
    ...each('job stop', ['{id:service}', '{id:first}', '{id:service}', 'none', '']),
    ...each('job', ['describe {id:service}', 'executions {id:service}', 'history {id:slow}']),
    ...(isNew
      ? [
          ...each('job rerun first', ['', '-v 1 --id-only', '--version 1 --group-events', '--node-details']),
          ...each('job rerun first', ['--wait --wait-timeout-secs 5', '--wait=false']),
          { line: 'job rerun first --follow', seconds: 6 },
          // The real one takes nothing any more after this.
          { line: 'job rerun none', seconds: 6 },
        ]
      : []),
  ])
}
