import { parentPort, workerData } from "node:worker_threads"
import { loadMicroPython } from "@micropython/micropython-webassembly-pyscript"
import { InputRing, type SharedRing } from "./input-ring.ts"
import { adaptImports } from "./port-imports.ts"

/** How a board answers a request for raw-paste: with this window increment, or as one that has none. */
export type RawPaste = number | "refused" | "unknown" | "silent"

export interface WorkerData {
  readonly ring: SharedRing
  readonly rawPaste: RawPaste
  /** Python that ran before, as boot.py. */
  readonly boot: string
  readonly heapBytes: number
}

/** What of the port this needs; it comes without types. */
interface MicroPython {
  readonly _module: { _mp_sched_keyboard_interrupt(): void }
  readonly FS: {
    readonly ErrnoError: new (errno: number) => Error
    readonly streams: { stream_ops: { read: (...args: never[]) => number } }[]
  }
  runPython(code: string): void
  replInit(): void
  replProcessChar(value: number): number
}

/** Interrupted system call, as WASI numbers it, and the port knows it: what waits looks for exceptions then. */
const interruptedErrno = 27
const { rawPaste, boot, heapBytes, ring: shared } = workerData as WorkerData
const ring = new InputRing(shared)
let isMuted = 0
/** It comes byte by byte; the thread is told of more at a time, at the latest when the board waits. */
let said: number[] = []
const say = (bytes: Uint8Array) => {
  said.push(...bytes)
  if (said.length >= 256) flush()
}
const flush = () => {
  if (said.length === 0) return
  parentPort?.postMessage(Uint8Array.from(said))
  const bytes = said.length
  said = []
  ring.said(bytes)
}
const waitForByte = () => {
  const byte = ring.take()
  if (byte !== null) return byte
  flush()
  return ring.wait()
}

adaptImports(() => {
  flush()
  if (ring.takeInterrupt()) board._module._mp_sched_keyboard_interrupt()
})
const board = (await loadMicroPython({
  heapsize: heapBytes,
  linebuffer: false,
  stdout: (bytes: Uint8Array) => {
    if (ring.takeInterrupt()) board._module._mp_sched_keyboard_interrupt()
    // `OK` of plain raw mode is no part of raw-paste.
    const shown = bytes.subarray(Math.min(isMuted, bytes.byteLength))
    isMuted -= bytes.byteLength - shown.byteLength
    say(shown)
  },
})) as MicroPython

const { FS } = board
const input = FS.streams[0]
if (input === undefined) throw new Error("The port has no standard input.")
input.stream_ops = {
  ...input.stream_ops,
  read: (_stream: unknown, target: Uint8Array, offset: number, length: number) => {
    const first = waitForByte()
    if (first === null) {
      board._module._mp_sched_keyboard_interrupt()
      throw new FS.ErrnoError(interruptedErrno)
    }
    target[offset] = first
    let count = 1
    for (; count < length; count++) {
      const next = ring.take()
      if (next === null) break
      target[offset + count] = next
    }
    return count
  },
}

board.runPython(boot)
board.replInit()
let isRaw = false
let line: number[] = []
for (;;) handle(waitForByte() ?? 0x03)

function handle(byte: number): void {
  if (isRaw && byte === 0x01 && line.length === 2 && line[0] === 0x05 && line[1] === 0x41)
    return answerPaste()
  if (byte === 0x01 && line.length === 0) isRaw = true
  if (byte === 0x02 && isRaw) isRaw = false
  if (isRaw && byte > 0x04) line.push(byte)
  else if (isRaw || byte < 0x20) line = []
  else line.push(byte)
  run(byte)
}

/** Only what runs can be interrupted. */
function run(byte: number): void {
  ring.setInterruptible(byte === 0x04 || byte === 0x0d)
  board.replProcessChar(byte)
  ring.setInterruptible(false)
}

function answerPaste(): void {
  line = []
  // It has the two bytes in its line.
  isMuted = 1_000_000
  board.replProcessChar(0x03)
  isMuted = 0
  if (rawPaste === "silent") return
  if (rawPaste === "unknown") return run(0x01)
  if (rawPaste === "refused") return say(Uint8Array.of(0x52, 0x00, 0x3e))
  say(Uint8Array.of(0x52, 0x01, rawPaste & 0xff, rawPaste >> 8, 0x01))
  const code: number[] = []
  for (let left = rawPaste; ; ) {
    const byte = waitForByte() ?? 0x03
    if (byte === 0x04 || byte === 0x03) {
      say(Uint8Array.of(0x04))
      if (byte === 0x03) return say(new TextEncoder().encode("\x04\nKeyboardInterrupt: \n\x04>"))
      break
    }
    code.push(byte)
    if (--left > 0) continue
    left = rawPaste
    say(Uint8Array.of(0x01))
  }
  for (const byte of code) board.replProcessChar(byte)
  isMuted = 2
  run(0x04)
}
