import type { ModemLines, PortSettings } from "@serialcast/contract"
import { concatBytes, createDeferred, type Deferred } from "@serialcast/primitives"
import type { LineChange, OpenPort } from "../port/port-driver.ts"

/** A port that records what it gets, and takes it when it is told to. For tests. */
export class RecordingPort implements OpenPort {
  readonly slices: Uint8Array[] = []
  /** What was done to it beside writing, in order. */
  readonly controls: (string | PortSettings | LineChange)[] = []
  isClosed = false
  drains = 0
  lines: ModemLines | null = null
  #gate: Deferred<void> | null = null

  get bytes(): Uint8Array {
    return concatBytes(this.slices)
  }

  async write(bytes: Uint8Array): Promise<void> {
    // A real one would keep a view as well, until the kernel has it.
    await this.#gate?.promise
    if (this.isClosed) throw new Error("the port is closed")
    this.slices.push(bytes.slice())
  }

  async drain(): Promise<void> {
    await this.#gate?.promise
    this.drains++
  }

  async configure(settings: PortSettings): Promise<void> {
    this.controls.push(settings)
  }

  async signal(change: LineChange): Promise<void> {
    this.controls.push(change)
  }

  async readLines(): Promise<ModemLines | null> {
    return this.lines
  }

  async purge(): Promise<void> {
    this.controls.push("purge")
    this.release()
  }

  async close(): Promise<void> {
    this.isClosed = true
    this.release()
  }

  hold(): void {
    this.#gate ??= createDeferred()
  }

  release(): void {
    this.#gate?.resolve()
    this.#gate = null
  }
}
