import type { ModemLines, PortSettings, SettingsInForce } from "@serialcast/contract"
import { defaultSettings, type LineChange, type OpenPort } from "@serialcast/ports"
import { concatBytes, createDeferred, type Deferred } from "@serialcast/primitives"

/** A port that records what it gets, and takes it when it is told to. For tests. */
export class RecordingPort implements OpenPort {
  readonly slices: Uint8Array[] = []
  /** What was done to it beside writing, in order. */
  readonly controls: (string | PortSettings | LineChange)[] = []
  settings: SettingsInForce = defaultSettings
  /** Parities are refused, as pseudo-terminals do. */
  hasParity = true
  isClosed = false
  drains = 0
  lines: ModemLines | null = null
  #gate: Deferred<void> | null = null

  get bytes(): Uint8Array {
    return concatBytes(this.slices)
  }

  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<number> {
    // A real one would keep a view as well, until the kernel has it.
    const gate = this.#gate
    if (gate !== null && (await orAborted(gate.promise, signal)) === "aborted") return 0
    if (this.isClosed) throw new Error("the port is closed")
    this.slices.push(bytes.slice())
    return bytes.byteLength
  }

  async drain(): Promise<void> {
    await this.#gate?.promise
    this.drains++
  }

  async configure(settings: PortSettings): Promise<void> {
    this.controls.push(settings)
    const isPartial = !this.hasParity && settings.parity !== "none"
    this.settings = isPartial ? { ...settings, parity: "none", unsupported: ["parity"] } : settings
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

async function orAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<"done" | "aborted"> {
  const aborted = createDeferred<"aborted">()
  signal?.addEventListener("abort", () => aborted.resolve("aborted"))
  return await Promise.race([work.then(() => "done" as const), aborted.promise])
}
