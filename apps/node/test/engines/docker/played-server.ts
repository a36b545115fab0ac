import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { SocketApi } from '../../../src/engines/docker/socket-api.ts'

/** Answers at a socket of its own until the test is over, and returns what asks there. */
export async function playedServer(answer: RequestListener): Promise<SocketApi> {
  const path = join(temporaryDirectory(), 's')
  const server = createServer(answer)
  server.listen(path)
  await once(server, 'listening')
  const api = new SocketApi(path)
  onTestFinished(() => {
    api.close()
    server.closeAllConnections()
    server.close()
  })
  return api
}
