import { Session } from "node:inspector"
import { Socket } from "node:net"
import { setTimeout } from "node:timers/promises"
import { parentPort, workerData } from "node:worker_threads"
import { decodeChange } from "../flash.ts"
import { decodeCount, type Frame, FrameReader, frameKinds, throughDescriptor } from "../frames.ts"
import { Ring, type UartMemory } from "./ring.ts"

// The thread of a board's process that stands for its interrupt handlers: the other one runs the interpreter and waits in
// it. What Ctrl-C is, a key or the end of the program, only the interpreter knows, and its memory is its thread's alone.
// The inspector is the one way into a thread that computes: V8 runs what it is given at the next loop or call.

const interruptKey = 0x03
const fullRestMs = 1
const ring = new Ring(workerData as UartMemory)
const inspector = new Session()
inspector.connectToMainThread()

/** Whether the interpreter took Ctrl-C as the end of its program. */
function interrupt(): Promise<boolean> {
  return new Promise((resolve) => {
    inspector.post(
      "Runtime.evaluate",
      { expression: "takeInterrupt()", returnByValue: true },
      (_error, answer) => resolve(answer?.result?.value === true),
    )
    ring.wake()
  })
}

async function receive(bytes: Uint8Array): Promise<void> {
  for (const byte of bytes) {
    if (byte === interruptKey && (await interrupt())) continue
    while (ring.isToBeAwaited) {
      ring.wake()
      await setTimeout(fullRestMs)
    }
    ring.put(byte)
  }
  ring.wake()
}

async function take({ kind, payload }: Frame): Promise<void> {
  switch (kind) {
    case frameKinds.received:
      await receive(payload)
      break
    case frameKinds.through:
      ring.allow(decodeCount(payload))
      ring.wake()
      break
    case frameKinds.flash:
      parentPort?.postMessage(decodeChange(payload))
      break
    case frameKinds.start:
      parentPort?.postMessage(null)
      break
    default:
      throw new Error(`a frame of kind ${kind}`)
  }
}

/** Takes frames, one after the other, until the other end is gone. */
async function follow(fd: number): Promise<void> {
  const frames = new FrameReader()
  for await (const bytes of new Socket({ fd, readable: true, writable: false }))
    for (const frame of frames.push(bytes as Uint8Array)) await take(frame)
}

try {
  // Apart, as the interpreter may have to send before it takes more.
  await Promise.race([follow(0), follow(throughDescriptor)])
} finally {
  // Nobody is there any more, however ours went; the other thread may be in a loop that never ends.
  process.kill(process.pid, "SIGKILL")
}
