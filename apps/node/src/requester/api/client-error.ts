import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { ApiError, errorBody } from '../../wire/api-error.ts'

/** Answers what could not be read as a request, where nothing else is being answered, and ends its connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex, answering: boolean): void {
  if (answering || !socket.writable) {
    socket.destroy()
    return
  }
  endWith(socket, refusalOf(error.code))
}

/** Answers a connection on which nothing else was said with an error, and ends it. */
export function endWith(socket: Duplex, error: ApiError): void {
  const body = errorBody(error, randomUUID())
  const text = JSON.stringify(body)
  const head = [
    `HTTP/1.1 ${body.Status} ${STATUS_CODES[body.Status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
  ]
  // A client that goes on sending must not keep the connection.
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`, () => socket.destroy())
}

function refusalOf(code: string | undefined): ApiError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new ApiError('RequestTimeout', 'the request did not arrive in time')
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new ApiError('HeaderTooLarge', 'the head of the request is larger than this node takes')
  }
  return new ApiError('BadRequest', 'this is not a request of HTTP/1.1')
}
