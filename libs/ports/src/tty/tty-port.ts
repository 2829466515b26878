/*
 *   device ─→ kernel ─→ poller: readable ─→ read ─→ listener
 *   device ←─ kernel ←─ write() ←─ poller: writable, when the kernel had no room
 */
import { readSync, writeSync } from "node:fs"
import type { ModemLines, PortSettings, SettingsInForce } from "@serialcast/contract"
import {
  createDeferred,
  type Deferred,
  systemClock,
  type Timer,
  unlessAborted,
  within,
} from "@serialcast/primitives"
import type { LinuxPortBinding } from "@serialport/bindings-cpp"
import type { LineChange, OpenPort, PortListener } from "../port-driver.ts"
import type { Refusal } from "../refusal.ts"
import { settingsInForce } from "../settings-in-force.ts"
import { shareDrain } from "../share-drain.ts"
import { endExclusiveUse } from "./exclusive-use.ts"
import { purgeTty } from "./purge-tty.ts"
import { ReadRhythm } from "./read-rhythm.ts"
import { TtyLines } from "./tty-lines.ts"
import { setRate, setTty } from "./tty-settings.ts"

// The poller's events (libuv).
const readable = 1
const writable = 2
// The kernel gives out at most 4 KiB at a time, or a little more while it fills up.
const readBytes = 16 * 1024
// Reads at the end of a port: more than the kernel's buffers for a tty hold.
const maxRestReads = 64
// The end of a port waits this long for its descriptor: an agent has 5 s to stop.
const releaseMs = 1_000
const goneReason = "the device went away"

export interface TtyPortOptions {
  readonly listener: PortListener
  /** Told what the tty does not take of its settings, whenever they are made. */
  readonly onRefusals: (refusals: readonly Refusal[]) => void
  /** How long to leave the port alone between reads of a steady trickle, in milliseconds. */
  readonly readRestMs: number
  /** Those that it was opened with. */
  readonly settings: PortSettings
  /** Those of them that it did not take. */
  readonly refusals: readonly Refusal[]
}

/**
 * An open tty on one descriptor, which does not block and is read and written in the event loop: 57 MB/s from a
 * pseudo-terminal and 0.11 ms for the echo of one byte (serialport's stream: 39 MB/s and 0.26 ms; Node's `tty.ReadStream`:
 * 64 MB/s and 0.10 ms, but it opens the path anew, which drops the lock and raises DTR again). A tty that the kernel hangs
 * up is told by the poller at once. What the package's poller allocates, about 1 KB for each open, it never frees.
 */
export class TtyPort implements OpenPort {
  readonly #binding: LinuxPortBinding
  readonly #fd: number
  readonly #listener: PortListener
  readonly #onRefusals: TtyPortOptions["onRefusals"]
  readonly #lines: TtyLines
  readonly #buffer = new Uint8Array(readBytes)
  readonly #closed = createDeferred<void>()
  /** Calls that the kernel holds, and what rejects who waits for them: at the end of the port, whatever it does. */
  readonly #held = new Map<Promise<unknown>, (error: Error) => void>()
  readonly #drain: () => Promise<void>
  readonly #rhythm: ReadRhythm
  /** Ends the rest between two reads; null while there is none. */
  #rest: Timer | null = null
  /** The write that waits for the kernel. */
  #room: Deferred<"room" | "stop"> | null = null
  #drains = 0
  #pauses = 0
  #endReason: string | null = null

  #settings: SettingsInForce

  /** Takes over `binding`, whose descriptor does not block. */
  constructor(binding: LinuxPortBinding, options: TtyPortOptions) {
    const { listener, onRefusals, readRestMs, settings, refusals } = options
    this.#binding = binding
    // Null only once it is closed.
    this.#fd = binding.fd ?? -1
    this.#listener = listener
    this.#onRefusals = onRefusals
    this.#rhythm = new ReadRhythm(readRestMs)
    this.#settings = this.#made(settings, refusals)
    this.#lines = new TtyLines(binding)
    this.#drain = shareDrain(async () => {
      this.#checkOpen()
      await binding.drain()
    })
    binding.poller.on("readable", (error: Error | null) => this.#onReadable(error))
    binding.poller.on("writable", () => this.#onWritable())
    this.#poll()
  }

  get settings(): SettingsInForce {
    return this.#settings
  }

  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<number> {
    this.#checkOpen()
    this.#rhythm.wrote()
    this.#wake()
    let at = 0
    while (at < bytes.byteLength) {
      at += this.#pauses > 0 ? 0 : this.#tryWrite(bytes.subarray(at))
      // A kernel that took a part has no room: to be told so once more costs as much as the write.
      if (at < bytes.byteLength && (await this.#untilRoom(signal)) === "stop") break
    }
    return at
  }

  async drain(): Promise<void> {
    this.#drains++
    try {
      await this.#hold(() => this.#drain())
    } finally {
      this.#drains--
    }
  }

  configure(settings: PortSettings): Promise<void> {
    return this.#pauseFor(async () => {
      const report = await setTty(this.#fd, settings)
      this.#settings = this.#made(settings, await setRate(this.#binding, settings, report))
    })
  }

  signal(change: LineChange): Promise<void> {
    return this.#hold(() => this.#lines.change(change))
  }

  readLines(): Promise<ModemLines | null> {
    return this.#hold(() => this.#lines.read())
  }

  async purge(): Promise<void> {
    const waiting = this.#room
    await this.#pauseFor(() => purgeTty(this.#fd))
    if (waiting === null || this.#room !== waiting) return
    this.#room = null
    waiting.resolve("stop")
  }

  close(): Promise<void> {
    this.#end("closed by the agent")
    return this.#closed.promise
  }

  /** What `start` answers, or a rejection when the port ends before: the kernel may hold a call for ever. */
  #hold<T>(start: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#checkOpen()
      const call = start().finally(() => this.#held.delete(call))
      this.#held.set(call, reject)
      call.then(resolve, reject)
    })
  }

  /**
   * Neither reads nor writes during `work`: what the device sends waits in the kernel. While an adapter takes its settings,
   * for seconds if it hangs, the kernel makes reads, writes and polls wait, which must not stop the event loop; and what is
   * written during a purge would be dropped.
   */
  async #pauseFor(work: () => Promise<void>): Promise<void> {
    this.#pauses++
    this.#poll()
    try {
      await this.#hold(work)
    } finally {
      this.#pauses--
      this.#poll()
    }
  }

  #made(settings: PortSettings, refusals: readonly Refusal[]): SettingsInForce {
    if (refusals.length > 0) this.#onRefusals(refusals)
    return settingsInForce(settings, refusals)
  }

  #checkOpen(): void {
    if (this.#endReason !== null) throw new Error("the port is closed")
  }

  async #untilRoom(signal: AbortSignal | undefined): Promise<"room" | "stop"> {
    const room = createDeferred<"room" | "stop">()
    this.#room = room
    this.#poll()
    try {
      return await unlessAborted(room.promise, signal, () => "stop" as const)
    } finally {
      if (this.#room === room) this.#room = null
    }
  }

  /** Asks for the next event: the poller tells each once. */
  #poll(): void {
    if (this.#endReason !== null) return
    const wanted = (this.#rest === null ? readable : 0) | (this.#room === null ? 0 : writable)
    this.#binding.poller.poll(this.#pauses > 0 ? 0 : wanted)
  }

  #onReadable(hangUp: Error | null): void {
    // An exception that got out of the poller's callback would end the process.
    try {
      if (!this.#read() && hangUp !== null) throw new Error(goneReason)
      this.#poll()
    } catch (error) {
      this.#end(reasonOf(error))
    }
  }

  /** Ends the rest: the port is read again. */
  #wake(): void {
    if (this.#rest === null) return
    this.#rest.cancel()
    this.#rest = null
    this.#poll()
  }

  #onWritable(): void {
    this.#room?.resolve("room")
    this.#room = null
    this.#poll()
  }

  /** Answers whether there was something. Throws when the tty is dead. */
  #read(): boolean {
    const size = unlessBusy(() => readSync(this.#fd, this.#buffer))
    if (size === null) return false
    // A raw tty has no end of file, but one that was hung up reads as if it were there.
    if (size === 0) throw new Error(goneReason)
    const restMs = this.#rhythm.restAfter(size, systemClock.monotonicMs())
    if (restMs > 0 && this.#endReason === null)
      this.#rest = systemClock.startTimer(restMs, () => this.#wake())
    this.#listener.onBytes(this.#buffer.slice(0, size))
    return true
  }

  #tryWrite(bytes: Uint8Array): number {
    try {
      return unlessBusy(() => writeSync(this.#fd, bytes)) ?? 0
    } catch (error) {
      const reason = reasonOf(error)
      this.#end(reason)
      throw new Error(reason, { cause: error })
    }
  }

  #end(reason: string): void {
    if (this.#endReason !== null) return
    this.#endReason = reason
    const { poller } = this.#binding
    this.#rest?.cancel()
    poller.removeAllListeners()
    poller.stop()
    this.#readRest()
    const isOutputHeld = this.#room !== null || this.#drains > 0
    this.#room?.reject(new Error(reason))
    for (const reject of this.#held.values()) reject(new Error(reason))
    const isGone = reason === goneReason
    const released = this.#release({ isOutputHeld: isOutputHeld && !isGone, isGone })
    // A driver that hangs keeps the descriptor, and the lock on it, for longer: until then the tty cannot be opened again.
    void within(released, { clock: systemClock, timeoutMs: releaseMs }).then(() => {
      this.#listener.onClosed({ reason })
      this.#closed.resolve()
    })
  }

  /** What the kernel has already would be lost with the descriptor. */
  #readRest(): void {
    try {
      for (let reads = 0; reads < maxRestReads && this.#pauses === 0 && this.#read(); reads++);
    } catch {
      // The tty is dead, so there is no more of it; that the port ends is told in any case.
    }
  }

  async #release({ isOutputHeld, isGone }: { isOutputHeld: boolean; isGone: boolean }): Promise<void> {
    // Output that flow control holds would keep a thread in drain for ever, and the kernel for 30 s in close(2).
    if (isOutputHeld) await this.#dropOutput().catch(() => undefined)
    // A call that is about to reach a closed descriptor may find another port behind its number.
    await Promise.allSettled(this.#held.keys())
    // What cannot be given up any more was not to be had.
    if (!isGone) await endExclusiveUse(this.#fd).catch(() => undefined)
    // close(2) fails for a device that is gone, and has given the descriptor back all the same.
    await this.#binding.close().catch(() => undefined)
  }

  /** Where perl is missing, with the input, which ends with the port. */
  async #dropOutput(): Promise<void> {
    await purgeTty(this.#fd).catch(() => this.#binding.flush())
  }
}

/** What a call on a descriptor that does not block answers; null when it would have to wait. */
function unlessBusy(call: () => number): number | null {
  try {
    return call()
  } catch (error) {
    if (codeOf(error) === "EAGAIN" || codeOf(error) === "EINTR") return null
    throw error
  }
}

function reasonOf(error: unknown): string {
  // What Linux answers for a device that was unplugged.
  if (["EIO", "ENXIO", "ENODEV"].includes(codeOf(error))) return goneReason
  return error instanceof Error ? error.message : String(error)
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : ""
}
