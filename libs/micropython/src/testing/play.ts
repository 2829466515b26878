import { concatBytes } from "@serialcast/primitives"
import { atMs } from "@serialcast/testkit"
import type { Conversation } from "../repl/conversation.ts"

/** Who is spoken to: a board, or any other device. */
export interface Peer {
  receive(bytes: Uint8Array): void
  /** What it has said since; empty: nothing. */
  hear(nowMs: number): Uint8Array
}

export interface Played<T> {
  readonly result: T
  readonly sent: Uint8Array
  readonly tookMs: number
}

/** How many bytes a read gives at most. Default: all. */
export type Reads = () => number

/** Time goes on in steps of so much while nothing is said. */
const stepMs = 50

/** Holds a conversation at once, in a time of its own. Throws what it throws, with `sent` and `tookMs` told to `onEnd`. */
export function play<T>(
  conversation: Conversation<T>,
  peer: Peer,
  reads: Reads = () => Number.POSITIVE_INFINITY,
  onEnd: (sent: Uint8Array, tookMs: number) => void = () => {},
): Played<T> {
  const sent: Uint8Array[] = []
  let [nowMs, waiting] = [0, new Uint8Array(0)]
  const read = (waitMs: number): Uint8Array | null => {
    for (const endMs = nowMs + waitMs; ; nowMs = Math.min(endMs, nowMs + stepMs)) {
      if (waiting.byteLength === 0) waiting = Uint8Array.from(peer.hear(nowMs))
      if (waiting.byteLength > 0 || nowMs >= endMs) break
    }
    const bytes = waiting.subarray(0, reads())
    waiting = waiting.subarray(bytes.byteLength)
    return bytes.byteLength === 0 ? null : bytes
  }
  try {
    let turn = conversation.next()
    while (!turn.done) {
      const { send, waitMs } = turn.value
      if (send !== undefined) {
        sent.push(send)
        peer.receive(send)
      }
      const bytes = waitMs > 0 ? read(waitMs) : null
      turn = conversation.next({ bytes, nowMs: atMs(nowMs) })
    }
    return { result: turn.value, sent: concatBytes(sent), tookMs: nowMs }
  } finally {
    onEnd(concatBytes(sent), nowMs)
  }
}
