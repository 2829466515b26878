import { once } from "node:events"
import { Worker } from "node:worker_threads"
import type { RawPaste, WorkerData } from "./genuine-board-worker.ts"
import { createSharedRing, InputRing } from "./input-ring.ts"

export interface GenuineBoardOptions {
  /** What its UART holds. Default: 260, as an ESP32. */
  readonly ringBytes?: number
  /** Default: a window increment of 128. */
  readonly rawPaste?: RawPaste
  /** Python that ran when it started. Default: none. */
  readonly boot?: string
  readonly heapBytes?: number
}

/** A thread does not take `--import`. */
const startCode = `
import(${JSON.stringify(import.meta.resolve("tsx/esm/api"))}).then(({ register }) => {
  register()
  return import(${JSON.stringify(new URL("./genuine-board-worker.ts", import.meta.url).href)})
})`

/**
 * A board with genuine MicroPython, in a thread of its own: it blocks where a board does. Raw-paste, which this port does
 * not have, stands before it. What it cannot is to be interrupted while it neither reads, prints nor sleeps.
 */
export class GenuineBoard {
  onSaid: (bytes: Uint8Array) => void = () => {}
  readonly #worker: Worker
  readonly #ring: InputRing

  private constructor(worker: Worker, ring: InputRing) {
    this.#worker = worker
    this.#ring = ring
    worker.on("message", (bytes: Uint8Array) => {
      ring.heard(bytes.byteLength)
      this.onSaid(bytes)
    })
  }

  /** Resolves when it stands at its prompt. */
  static async start(options: GenuineBoardOptions = {}): Promise<GenuineBoard> {
    const { ringBytes = 260, rawPaste = 128, boot = "", heapBytes = 128 * 1024 } = options
    const ring = createSharedRing(ringBytes)
    const workerData: WorkerData = { ring, rawPaste, boot, heapBytes }
    const worker = new Worker(startCode, { eval: true, workerData })
    const board = new GenuineBoard(worker, new InputRing(ring))
    await once(worker, "message")
    return board
  }

  get droppedBytes(): number {
    return this.#ring.droppedBytes
  }

  /** Bytes arrive at its UART. */
  receive(bytes: Uint8Array): void {
    for (const byte of bytes) this.#ring.put(byte)
  }

  /** It has read all that arrived and waits for more; all that it said was told. */
  get isIdle(): boolean {
    return this.#ring.isIdle
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate()
  }
}
