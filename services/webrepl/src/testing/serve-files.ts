import { createWakeup } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { onTestFinished } from "vitest"
import { type FailurePlace, FileServer } from "../file-channel/file-server.ts"
import { Transfers } from "../session/transfers.ts"
import { MemoryBoard } from "./memory-board.ts"

export const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

/** A file server over a board in memory, and what it sent and told. */
export function serveFiles(failurePlace: FailurePlace = "first-response") {
  const board = new MemoryBoard()
  const gone = new AbortController()
  const clock = new FakeClock()
  const sent: Uint8Array[] = []
  const came = createWakeup()
  const told: string[] = []
  let room = Promise.resolve()
  const transfers = new Transfers()
  const server = new FileServer({
    useBoard: board.use,
    version: () => [1, 29, 3],
    failurePlace: () => failurePlace,
    async send(payload) {
      sent.push(payload)
      came.wake()
      await room
    },
    tellInterrupted: () => told.push("interrupted"),
    tellFailure: (about, { message }) => told.push(`${about}. ${message}`),
    transfers,
    clock,
    signal: gone.signal,
  })
  const running = server.run()
  onTestFinished(async () => {
    gone.abort()
    await running
  })
  const frames = () => sent.map(hex)
  /** The client reads nothing any more. */
  const congest = () => {
    const { signal } = gone
    room = new Promise((resolve) => signal.addEventListener("abort", () => resolve()))
  }
  return { congest, board, server, clock, gone, running, sent, came, frames, told, transfers }
}
