// Runs command lines of a program, each with a terminal of its own, and answers what they wrote and how they ended.
const { run } = await import(process.argv[2])
const start = process.cwd()

async function answer({ id, args, cwd = start, env = {}, input = '' }) {
  process.chdir(cwd)
  let stdout = ''
  let stderr = ''
  const terminal = {
    env: { PATH: process.env.PATH, ...env },
    colour: false,
    columns: 120,
    inputIsTerminal: false,
    outputIsTerminal: false,
    errorIsTerminal: false,
    out: (text) => {
      stdout += text
      return true
    },
    err: (text) => {
      stderr += text
    },
    input: async () => Buffer.from(input),
    secret: async () => null,
  }
  const code = await run(terminal, ['node', 'program', ...args])
  process.send({ id, code, stdout, stderr })
}

let before = Promise.resolve()
process.on('message', (request) => {
  before = before.then(() => answer(request))
})
process.once('disconnect', () => process.exit())
