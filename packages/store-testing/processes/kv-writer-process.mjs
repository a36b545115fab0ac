// Writes through the key-value contract until it is killed or its store fails: node kv-writer-process.mjs BACKEND
// DIRECTORY. Eight callers write one number each into both tables, and say so once that is on disk; some bodies throw.
const [module, directory] = process.argv.slice(2)
const { openKv } = await import(module)
const say = (text) => process.stdout.write(`${text}\n`)
const numbered = (id) => Buffer.from(String(id).padStart(10, '0'))

try {
  write(await openKv(directory, ['alpha', 'beta']))
} catch (error) {
  say(`error ${error.code} ${error.message}`)
  process.exitCode = 3
}

function write(store) {
  say('open')
  let next = Number(store.read((snapshot) => snapshot.keys('alpha', { limit: 1, reverse: true })[0] ?? 0)) + 1
  const caller = async () => {
    for (;;) {
      const id = next
      next += 1
      const refused = id % 7 === 0
      const body = (transaction) => {
        transaction.put('alpha', numbered(id), Buffer.alloc(500, id))
        transaction.put('beta', numbered(id), Buffer.from(refused ? 'refused' : 'kept'))
        // One of the background may still be waiting for its turn.
        if (id > 50 && (id - 50) % 11 !== 0) transaction.remove('beta', numbered(id - 50))
        if (refused) throw new Error('on purpose')
      }
      let code
      await store.write(body, { background: id % 11 === 0 }).catch((error) => {
        code = error.code
      })
      if (code !== undefined) {
        say(`${code} ${id}`)
        return
      }
      say(`${refused ? 'refused' : 'kept'} ${id}`)
    }
  }
  store.failed.then(({ code }) => {
    say(`failed ${code}`)
    return store.close().then(() => say('closed'))
  })
  for (let count = 0; count < 8; count += 1) void caller()
}
