type Random = () => number

const JOBS = '/api/v1/orchestrator/jobs'
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'SUBSCRIBE']
/** Addresses that take something; `ID` stands for a name that is made up. */
const PATHS = [
  '/',
  '/metrics',
  '/api/v1/agent/node',
  '/api/v1/agent/config',
  '/api/v1/version',
  '/api/v1/auth',
  '/api/v1/auth/ID',
  '/api/v1/orchestrator/nodes',
  '/api/v1/orchestrator/nodes/ID',
  JOBS,
  JOBS,
  `${JOBS}/ID`,
  ...['executions', 'history', 'results', 'versions', 'rerun', 'logs'].map((what) => `${JOBS}/ID/${what}`),
  '/api/v1/saltcod/gc',
  '/api/v1/saltcod/compact',
  '/api/v1/saltcod/jobs/ID/hold',
  '/api/v1/saltcod/jobs/ID/release',
  '/api/v1/saltcod/archive',
  '/api/v1/saltcod/archive/ID',
  '/api/v1/saltcod/archive/ID/restore',
]
const KEYS = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'prototype', '']
const TEXTS = [
  ...KEYS,
  '\0',
  '\u001b[2J',
  '\ud800',
  '😀',
  '../../etc/passwd',
  "a'b",
  '%',
  '*',
  'x'.repeat(3_000),
]
const PARAMETERS = [
  ...KEYS,
  ...['limit', 'next_token', 'order_by', 'reverse', 'labels', 'state', 'namespace', 'include', 'pretty'],
  ...['job_version', 'event_type', 'execution_id', 'since', 'filter-status', 'reason', 'follow', 'from'],
]
const NUMBERS = ['-1', '0', '1e999', '-0', '9007199254740993', '1.5', '123456789012345678901234567890']
/** JSON that no field expects, as text, since some of it can only be written so. */
const VALUES = [
  ...NUMBERS,
  ...TEXTS.map((text) => JSON.stringify(text)),
  ...['null', 'true', '[]', '{}', '[[[[]]]]', '"\\ud800"', '"\\u0000"', '{"__proto__":{"polluted":1}}'],
  '{"constructor":{"prototype":{"polluted":1}}}',
]
const FIELDS = [
  ...[
    'ID',
    'Name',
    'Namespace',
    'Type',
    'Priority',
    'Count',
    'Constraints',
    'Meta',
    'Labels',
    'Tasks',
    'State',
  ],
  ...['Version', 'Revision', 'CreateTime'],
]
const TASK_FIELDS = [
  ...['Name', 'Engine', 'Publisher', 'Env', 'Meta', 'InputSources', 'ResultPaths', 'Resources', 'Network'],
  'Timeouts',
]
const OTHER_BODIES = ['dryRun', 'maxAgeMs', 'maxCount', 'Reason', 'reason', 'JobVersion', 'Force']
const HEADERS = [
  ...KEYS.filter((key) => key !== ''),
  ...['X-Bacalhau-Git-Version', 'Idempotency-Key', 'Origin', 'Host', 'Range', 'Accept', 'Accept-Encoding'],
  ...['Authorization', 'Expect', 'Connection', 'Upgrade', 'Content-Encoding', 'Content-Type', 'Cookie', 'TE'],
]
const LARGE_BYTES = 10_000_000

const pick = (random: Random, list: readonly string[]): string =>
  list[Math.floor(random() * list.length)] ?? ''

/** Makes a request up: any method, address, parameters, headers and body, with a length that may be a lie. */
export function generatedRequest(random: Random): Buffer {
  const body = bodyOf(random)
  const heads = [`${pick(random, METHODS)} ${addressOf(random)} HTTP/1.1`]
  if (random() < 0.95) heads.push('Host: localhost')
  while (random() < 0.4) heads.push(`${pick(random, HEADERS)}: ${headerValue(pick(random, TEXTS))}`)
  const way = random()
  if (way < 0.1) return Buffer.concat([head([...heads, 'Transfer-Encoding: chunked']), chunked(random, body)])
  const lengths = [body.length - 1, body.length + 1, -1, 'many', '1e3', '0x10', `${body.length}, 5`]
  const length = way < 0.8 ? body.length : pick(random, lengths.map(String))
  return Buffer.concat([head([...heads, `Content-Length: ${length}`]), body])
}

function head(lines: readonly string[]): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

/** What may stand in a head: the parser has its own tests. */
function headerValue(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?')
}

function addressOf(random: Random): string {
  const path = pick(random, PATHS).replace('ID', () => encoded(pick(random, TEXTS)))
  const parameters: string[] = []
  while (random() < 0.6) {
    parameters.push(`${encoded(pick(random, PARAMETERS))}=${encoded(pick(random, [...TEXTS, ...NUMBERS]))}`)
  }
  return parameters.length === 0 ? path : `${path}?${parameters.join('&')}`
}

function encoded(text: string): string {
  // A lone surrogate has no encoding.
  return text === '\ud800' ? '%ed%a0%80' : encodeURIComponent(text)
}

function bodyOf(random: Random): Buffer {
  const way = random()
  if (way < 0.15) return Buffer.alloc(0)
  if (way < 0.2) return Buffer.from(Array.from({ length: 200 }, () => Math.floor(random() * 256)))
  if (way < 0.23) return Buffer.from(pick(random, ['[', '{"Job":']).repeat(20_000))
  if (way < 0.235) return Buffer.alloc(LARGE_BYTES, 'x')
  if (way < 0.5) return Buffer.from(`{"${pick(random, OTHER_BODIES)}":${pick(random, VALUES)}}`)
  const text = jobOf(random)
  return Buffer.from(way < 0.6 ? text.slice(0, Math.floor(random() * text.length)) : text)
}

/** A job with some fields that it should not have. */
function jobOf(random: Random): string {
  const task = new Map([
    ['Name', '"main"'],
    ['Engine', '{"Type":"noop","Params":{}}'],
  ])
  while (random() < 0.4) task.set(pick(random, [...TASK_FIELDS, ...KEYS]), pick(random, VALUES))
  const job = new Map([
    ['Type', '"batch"'],
    ['Tasks', `[${written(task)}]`],
  ])
  while (random() < 0.4) job.set(pick(random, [...FIELDS, ...KEYS]), pick(random, VALUES))
  const key = random() < 0.3 ? `,"IdempotencyToken":${pick(random, VALUES)}` : ''
  return `{"Job":${written(job)}${key}}`
}

function written(fields: ReadonlyMap<string, string>): string {
  return `{${[...fields].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`
}

function chunked(random: Random, body: Buffer): Buffer {
  const size =
    random() < 0.7 ? body.length.toString(16) : pick(random, ['zz', '-1', 'fffffffffffffffff', '5'])
  return Buffer.concat([Buffer.from(`${size}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')])
}
