import { type Clock, createBackoff, msSince, type Timer } from "@serialcast/primitives"

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
  /** Opens no socket before `resume`; default: at once. */
  readonly startsPaused?: boolean
}

/** A WebSocket that comes back by itself. Open means that the service has spoken. */
export interface Connection {
  /** False when there is no open socket, or too much waits for it: nothing is ever kept for later. */
  send(frame: Uint8Array): boolean
  /** Lets go of the socket until `resume`: browsers cannot stop reading from one. */
  pause(): void
  /** Ends a pause; without one it does nothing. */
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
  let isPaused = false

  function connect(): void {
    onStatus("connecting")
    const startedMs = clock.monotonicMs()
    const reconnect = () => {
      socket = null
      if (msSince(clock, startedMs) > stableMs) backoff.reset()
      retry = clock.startTimer(backoff.next(), connect)
      onStatus("waiting")
    }
    attempt = new AbortController()
    socket = options.openSocket()
    socket.addEventListener("close", reconnect, { signal: attempt.signal })
    receiveFrom(socket, options, attempt.signal)
  }

  function release(): void {
    retry?.cancel()
    // What is still on its way belongs to nobody; a later attempt asks for it again.
    attempt.abort()
    socket?.close()
    socket = null
  }

  function pause(): void {
    release()
    isPaused = true
    onStatus("paused")
  }

  if (options.startsPaused) pause()
  else connect()
  return {
    send(frame) {
      if (socket?.readyState !== openState || socket.bufferedAmount > maxBufferedBytes) return false
      // Frames are made by this page on plain buffers, never on shared ones.
      socket.send(frame as Uint8Array<ArrayBuffer>)
      return true
    },
    pause,
    resume() {
      if (!isPaused) return
      isPaused = false
      connect()
    },
    close() {
      isPaused = false
      release()
    },
  }
}

function receiveFrom(socket: SocketLike, options: ConnectionOptions, signal: AbortSignal): void {
  const { onStatus, onText, onBinary } = options
  let isSilent = true
  const receive = ({ data }: MessageEvent<unknown>) => {
    if (isSilent) onStatus("open")
    isSilent = false
    if (typeof data === "string") onText(data)
    else if (data instanceof ArrayBuffer) onBinary?.(new Uint8Array(data))
  }
  socket.binaryType = "arraybuffer"
  socket.addEventListener("message", receive, { signal })
}
