import { execFile } from "node:child_process"
import { closeSync, constants, openSync, symlinkSync, writeSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { setImmediate as nextTurn } from "node:timers/promises"
import { ReadStream } from "node:tty"
import { promisify } from "node:util"
import { concatBytes, createDeferred, createWakeup, delay, systemClock } from "@serialcast/primitives"
import { createTemporaryFolder } from "./temporary-folder.ts"

/** Bytes that the device keeps for `read`; beyond them it leaves the rest in the kernel, as a busy device would. */
const maxUnreadBytes = 32 * 1024 * 1024

/** A right program keeps it on a busy machine too. */
const defaultTimeoutMs = 30_000

export interface WaitOptions {
  /** Default 30,000. */
  readonly timeoutMs?: number
}

/**
 * The device's end of a pseudo-terminal whose other end, `path`, is opened like any serial port. 8-bit clean both
 * ways. It does not pace to a baud rate and has no modem lines.
 *
 * A process spawned while it exists inherits the device's end (the native openpty sets no close-on-exec), and then
 * `unplug` hangs nothing up until that process ends: spawn first, then open.
 */
export interface PtyDevice extends AsyncDisposable {
  /**
   * A link to `terminal`, gone before the terminal is: whoever waits for this port to come back never opens the terminal
   * of another test. Opening it through serialport throws away what was written before.
   */
  readonly path: string
  /** Like `/dev/pts/3`. The kernel gives this name to the next terminal of any program as soon as this one is gone. */
  readonly terminal: string
  /** Bytes that came from the host so far, read or not. */
  readonly received: number
  /**
   * Resolves when the kernel has taken all of `bytes`: it waits while the host does not read. Writes are done one
   * after the other. Throws at the deadline with the number of bytes taken, or when the terminal is gone.
   */
  write(bytes: Uint8Array, options?: WaitOptions): Promise<void>
  /** The next `count` bytes from the host. Throws when they did not come in time or cannot come any more. */
  read(count: number, options?: WaitOptions): Promise<Uint8Array>
  /**
   * Gives up the reference that keeps the terminal alive while nobody has `path` open. To be called when the port
   * under test has opened it; from then on, closing the port ends the device (`hungUp`).
   */
  releaseSlave(): void
  /** Resolves when the terminal is gone: unplugged, or closed by the host after `releaseSlave`. */
  readonly hungUp: Promise<void>
  /** Pulls the cable: the port gets a hang-up and `path` disappears. */
  unplug(): Promise<void>
}

export async function openPty(): Promise<PtyDevice> {
  const { master, slave: inheritable, pty: terminal } = loadBinding().open(80, 24)
  // Opened again because Node's own descriptors are closed in children, those of the binding are not.
  const slave = openSync(terminal, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  closeSync(inheritable)
  const device = new OpenPty(terminal, master, slave)
  try {
    // A fresh terminal echoes and translates line ends until somebody sets it; ours must not, even before that.
    await promisify(execFile)("stty", ["-F", terminal, "raw", "-echo"])
  } catch (error) {
    await device.unplug()
    throw error
  }
  return device
}

class OpenPty implements PtyDevice {
  readonly path: string
  readonly terminal: string
  readonly hungUp: Promise<void>
  readonly #folder = createTemporaryFolder()
  readonly #fd: number
  /** Only read from: Node's streams write to the master end of a terminal by spinning until there is room. */
  readonly #master: ReadStream
  readonly #changed = createWakeup()
  #slave: number | undefined
  #unread: Uint8Array[] = []
  #unreadBytes = 0
  #received = 0
  #lastWrite: Promise<unknown> = Promise.resolve()

  constructor(terminal: string, master: number, slave: number) {
    this.terminal = terminal
    this.path = join(this.#folder.path, "port")
    symlinkSync(terminal, this.path)
    this.#fd = master
    this.#slave = slave
    this.#master = new ReadStream(master)
    const gone = createDeferred<void>()
    this.hungUp = gone.promise
    // Linux reports the last close of the other end as EIO: it is the end of this stream, told by "close" as well.
    this.#master.on("error", () => this.#changed.wake())
    this.#master.once("close", () => {
      this.#folder[Symbol.dispose]()
      this.releaseSlave()
      this.#changed.wake()
      gone.resolve()
    })
    this.#master.on("data", (bytes: Uint8Array) => this.#take(bytes))
  }

  get received(): number {
    return this.#received
  }

  async write(bytes: Uint8Array, { timeoutMs = defaultTimeoutMs }: WaitOptions = {}): Promise<void> {
    const turn = this.#lastWrite.then(() => this.#writeAll(bytes, performance.now() + timeoutMs))
    // A failed write is its caller's to handle; the next one only wants its turn.
    this.#lastWrite = turn.catch(() => undefined)
    const written = await turn
    if (written < bytes.byteLength) {
      throw new Error(`${this.path} took ${written} of ${bytes.byteLength} bytes within ${timeoutMs} ms.`)
    }
  }

  async read(count: number, { timeoutMs = defaultTimeoutMs }: WaitOptions = {}): Promise<Uint8Array> {
    const over = AbortSignal.timeout(timeoutMs)
    while (this.#unreadBytes < count) {
      const found = `${this.#unreadBytes} of ${count} bytes came`
      if (this.#master.destroyed) throw new Error(`${this.path} hung up when ${found}.`)
      if (over.aborted) throw new Error(`${this.path}: ${found} within ${timeoutMs} ms.`)
      await this.#changed.wait({ signal: over })
    }
    return this.#give(count)
  }

  releaseSlave(): void {
    if (this.#slave !== undefined) closeSync(this.#slave)
    this.#slave = undefined
  }

  async unplug(): Promise<void> {
    this.#folder[Symbol.dispose]()
    this.#master.destroy()
    await this.hungUp
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unplug()
  }

  /** Answers how many bytes the kernel took before the deadline (a time of performance.now). */
  async #writeAll(bytes: Uint8Array, deadlineMs: number): Promise<number> {
    let at = 0
    let refusals = 0
    while (at < bytes.byteLength && performance.now() < deadlineMs) {
      if (this.#master.destroyed) throw new Error(`${this.path} hung up at byte ${at} of a write.`)
      const taken = this.#tryWrite(bytes.subarray(at))
      at += taken
      refusals = taken > 0 ? 0 : refusals + 1
      // Nothing announces room in the kernel's buffer. A host that reads makes some within a few turns of the loop.
      if (refusals > 0) await (refusals < 100 ? nextTurn() : delay(systemClock, 1))
    }
    return at
  }

  #tryWrite(bytes: Uint8Array): number {
    try {
      return writeSync(this.#fd, bytes)
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EAGAIN") return 0
      throw error
    }
  }

  #take({ buffer, byteOffset, byteLength }: Uint8Array): void {
    this.#received += byteLength
    // The stream gives Node's Buffer, which compares unequal to the same bytes in a plain array.
    this.#unread.push(new Uint8Array(buffer, byteOffset, byteLength))
    this.#unreadBytes += byteLength
    if (this.#unreadBytes >= maxUnreadBytes) this.#master.pause()
    this.#changed.wake()
  }

  #give(count: number): Uint8Array {
    const all = concatBytes(this.#unread)
    this.#unread = [all.subarray(count)]
    this.#unreadBytes = all.byteLength - count
    this.#master.resume()
    return all.slice(0, count)
  }
}

interface PtyBinding {
  open(columns: number, rows: number): { master: number; slave: number; pty: string }
}

/** The package's public `open` wraps both ends in streams that swallow what the port should get. */
function loadBinding(): PtyBinding {
  const require = createRequire(import.meta.url)
  const loader: { requireBinary(file: string): PtyBinding } = require("@lydell/node-pty/requireBinary.js")
  return loader.requireBinary("pty.node")
}
