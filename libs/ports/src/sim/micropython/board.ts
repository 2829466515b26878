import { type ChildProcessByStdio, spawn } from "node:child_process"
import type { Readable, Writable } from "node:stream"
import { fileURLToPath } from "node:url"
import { createDeferred, systemClock, within } from "@serialcast/primitives"
import { decodeChange, encodeChange, type Flash } from "./flash.ts"
import {
  decodeCount,
  encodeCount,
  encodeFrame,
  type Frame,
  FrameReader,
  frameKinds,
  throughDescriptor,
} from "./frames.ts"

export interface BoardOptions {
  /** What was in its files when it was off; is kept up to date. */
  readonly flash: Flash
  /** How much the board takes that its program does not read: more is dropped, and counted. */
  readonly ringBytes: number
  /** Gets what the board sends; it sends no more than a kilobyte beyond what this is done with. */
  readonly onBytes: (bytes: Uint8Array) => void | Promise<void>
  /** Ends the board, whatever it or a call is about. */
  readonly signal?: AbortSignal
}

const isSource = import.meta.url.endsWith(".ts")
// Sources are run by the loader that runs the tests.
const loader = isSource ? ["--conditions=@serialcast/source", "--import", "tsx"] : []
const program = fileURLToPath(new URL(isSource ? "./child/main.ts" : "./child/main.js", import.meta.url))
const startDeadlineMs = 60_000
// Killed processes are gone in milliseconds; one that the system cannot end is not waited for.
const endDeadlineMs = 2_000
const maxErrorChars = 4_096

/**
 * A board with genuine MicroPython, in a process of its own: the interpreter computes as long as its program does, and is
 * not interrupted otherwise. Closing it is unplugging it. It ends with us, however we end.
 */
export class Board {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #through: Writable
  readonly #options: BoardOptions
  readonly #ready = createDeferred<void>()
  readonly #frames = new FrameReader()
  #dropped = 0
  #error = ""
  #sending: Promise<void> = Promise.resolve()

  /** Resolves when the process is gone and all that it said was taken. */
  readonly ended: Promise<void>

  private constructor(options: BoardOptions) {
    this.#options = options
    const args = [...loader, "--no-warnings", program, String(options.ringBytes)]
    // The inspector of its main thread is for its other one, on no port.
    this.#child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "pipe", "pipe"], env: {} })
    this.#child.on("error", () => {})
    // Told at once, and without pipes, when it has no more processes or files to give.
    if (this.#child.pid === undefined)
      throw new Error("The simulated board did not start: this machine gives it no process.")
    this.#child.stdout.on("data", (bytes: Uint8Array) => this.#take(bytes))
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#error = `${this.#error}${text}`.slice(-maxErrorChars)
    })
    // Its end is told by the process.
    this.#child.stdin.on("error", () => {})
    // A pipe by the options above.
    this.#through = this.#child.stdio[throughDescriptor] as Writable
    this.#through.on("error", () => {})
    this.ended = this.#awaitEnd()
    this.#endWith(options.signal)
  }

  /** Throws when it does not start. */
  static async start(options: BoardOptions): Promise<Board> {
    const board = new Board(options)
    for (const change of options.flash.changes())
      board.#child.stdin.write(encodeFrame(frameKinds.flash, encodeChange(change)))
    board.#child.stdin.write(encodeFrame(frameKinds.start, new Uint8Array()))
    const late = setTimeout(() => board.#child.kill("SIGKILL"), startDeadlineMs)
    try {
      await board.#ready.promise
    } finally {
      clearTimeout(late)
    }
    return board
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** How many bytes it had no room for, since it was started: as of its last output or wait. */
  get dropped(): number {
    return this.#dropped
  }

  /** Puts bytes on the wire to the board; resolves when they are on their way. They go nowhere when it ended. */
  async write(bytes: Uint8Array): Promise<void> {
    const { stdin } = this.#child
    if (stdin.destroyed) return
    if (!stdin.write(encodeFrame(frameKinds.received, bytes)))
      await Promise.race([new Promise((resolve) => stdin.once("drain", resolve)), this.ended])
  }

  async close(): Promise<void> {
    this.#child.kill("SIGKILL")
    await within(this.ended, { clock: systemClock, timeoutMs: endDeadlineMs })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #endWith(signal: AbortSignal | undefined): void {
    const kill = () => this.#child.kill("SIGKILL")
    signal?.addEventListener("abort", kill)
    void this.ended.then(() => signal?.removeEventListener("abort", kill))
    if (signal?.aborted === true) kill()
  }

  async #awaitEnd(): Promise<void> {
    const { stdout } = this.#child
    const allWasSaid = new Promise((resolve) => stdout.once("close", resolve))
    const reason = await new Promise<string>((resolve) => {
      this.#child.on("exit", (code, signal) => resolve(`${signal ?? `code ${code}`} ${this.#error}`))
    })
    // What its process wrote last is still in the pipe.
    await allWasSaid
    this.#ready.reject(new Error(`The simulated board did not start: ${reason}`))
    this.#ready.promise.catch(() => {})
  }

  #take(bytes: Uint8Array): void {
    try {
      for (const frame of this.#frames.push(bytes)) this.#obey(frame)
    } catch {
      // What it says is not of us: it is broken, and its end is told.
      this.#child.kill("SIGKILL")
    }
  }

  #obey({ kind, payload }: Frame): void {
    switch (kind) {
      case frameKinds.sent:
        this.#sending = this.#sending.then(() => this.#deliver(payload.slice()))
        break
      case frameKinds.flash:
        this.#options.flash.apply(decodeChange(payload))
        break
      case frameKinds.dropped:
        this.#dropped = decodeCount(payload)
        break
      case frameKinds.ready:
        this.#ready.resolve()
        break
      default:
        throw new Error(`a frame of kind ${kind}`)
    }
  }

  async #deliver(bytes: Uint8Array): Promise<void> {
    await this.#options.onBytes(bytes)
    if (!this.#through.destroyed) this.#through.write(encodeCount(frameKinds.through, bytes.byteLength))
  }
}
