import { type Clock, createBackoff, type Timer } from "@serialcast/primitives"

/** The part of a browser's WebSocket that is used here. */
export type SocketLike = Pick<
  WebSocket,
  "addEventListener" | "binaryType" | "bufferedAmount" | "close" | "readyState" | "send"
>

/** `waiting`: for the next attempt. `paused`: on purpose, until `resume`. */
export type ConnectionStatus = "connecting" | "open" | "waiting" | "paused"

export interface ConnectionOptions {
  /** Opens a socket for the next attempt. */
  readonly openSocket: () => SocketLike
  readonly onText: (text: string) => void
  readonly onBinary?: (bytes: Uint8Array) => void
  readonly onStatus: (status: ConnectionStatus) => void
  readonly clock: Clock
}

/** A WebSocket that comes back by itself. Open means that the service has spoken. */
export interface Connection {
  /** False when there is no open socket, or too much waits for it: nothing is ever kept for later. */
  send(frame: Uint8Array): boolean
  /** Lets go of the socket until `resume`: browsers cannot stop reading from one. */
  pause(): void
  resume(): void
  close(): void
}

/** A connection that lasted this long was a good one: the next trouble is a new one, in milliseconds. */
const stableMs = 5_000
/** Bytes that may wait in the browser: one whole write of 4 MiB, and what is typed behind it. */
const maxBufferedBytes = 4 * 1024 * 1024
const openState = 1

export function openConnection(options: ConnectionOptions): Connection {
  const { clock, onStatus } = options
  const backoff = createBackoff({ minMs: 250, maxMs: 10_000 })
  let socket: SocketLike | null = null
  let retry: Timer | null = null
  let attempt = new AbortController()

  function connect(): void {
    onStatus("connecting")
    const startedMs = clock.nowMs()
    let isSilent = true
    attempt = new AbortController()
    socket = options.openSocket()
    socket.binaryType = "arraybuffer"
    const receive = ({ data }: MessageEvent<unknown>) => {
      if (isSilent) onStatus("open")
      isSilent = false
      if (typeof data === "string") options.onText(data)
      else if (data instanceof ArrayBuffer) options.onBinary?.(new Uint8Array(data))
    }
    const reconnect = () => {
      socket = null
      if (clock.nowMs() - startedMs > stableMs) backoff.reset()
      retry = clock.startTimer(backoff.next(), connect)
      onStatus("waiting")
    }
    socket.addEventListener("message", receive, { signal: attempt.signal })
    socket.addEventListener("close", reconnect, { signal: attempt.signal })
  }

  function release(): void {
    retry?.cancel()
    // What is still on its way belongs to nobody; a later attempt asks for it again.
    attempt.abort()
    socket?.close()
    socket = null
  }

  connect()
  return {
    send(frame) {
      if (socket?.readyState !== openState || socket.bufferedAmount > maxBufferedBytes) return false
      // Frames are made by this page on plain buffers, never on shared ones.
      socket.send(frame as Uint8Array<ArrayBuffer>)
      return true
    },
    pause() {
      release()
      onStatus("paused")
    },
    resume: connect,
    close: release,
  }
}
