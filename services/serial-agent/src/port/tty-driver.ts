import type { PortSettings } from "@serialcast/contract"
import { type Clock, createDeferred, systemClock } from "@serialcast/primitives"
import { SerialPort } from "serialport"
import { explainOpenError } from "./open-error.ts"
import type { OpenPort, PortDriver, PortListener } from "./port-driver.ts"
import { runWatchdog } from "./watchdog.ts"

export interface TtyDriverDeps {
  readonly clock: Clock
  /** Rejects when the tty of this open port is dead. Default: asks the kernel, on Linux. */
  readonly check?: (serial: SerialPort) => Promise<unknown>
}

/** A tty of this system, by path. Each open makes a new SerialPort: an old one replays what was written while closed. */
export function createTtyDriver(path: string, deps: TtyDriverDeps = { clock: systemClock }): PortDriver {
  return {
    async open(settings, listener) {
      const serial = createSerialPort(path, settings)
      try {
        await new Promise<void>((resolve, reject) =>
          serial.open((error) => (error ? reject(error) : resolve())),
        )
      } catch (error) {
        throw await explainOpenError(path, error)
      }
      return new TtyPort(serial, listener, deps)
    },
  }
}

// A tty that the kernel hung up (vhangup, as it does when a device goes) is readable for ever, with nothing to read: no
// event comes, and polling it takes a whole processor. This ioctl then fails with EIO. Other systems have no such call.
async function checkTty(serial: SerialPort): Promise<void> {
  if (process.platform === "linux") await serial.port?.getBaudRate()
}

function createSerialPort(path: string, settings: PortSettings): SerialPort {
  const { baudRate, dataBits, parity, stopBits, flowControl } = settings
  return new SerialPort({
    path,
    baudRate,
    dataBits,
    parity,
    stopBits,
    rtscts: flowControl === "hardware",
    xon: flowControl === "software",
    xoff: flowControl === "software",
    autoOpen: false,
    // A second program that reads the same port would take part of the bytes.
    lock: true,
  })
}

const goneReason = "the device went away"

type Callback = (error: Error | null | undefined) => void

class TtyPort implements OpenPort {
  readonly #serial: SerialPort
  readonly #listener: PortListener
  readonly #closed = createDeferred<void>()
  /** Rejects the calls that still wait for serialport when the port closes: it does not call back all of them. */
  readonly #waiting = new Set<(error: Error) => void>()
  readonly #ending = new AbortController()
  #closeReason: string | null = null
  #isEnded = false

  constructor(serial: SerialPort, listener: PortListener, { clock, check = checkTty }: TtyDriverDeps) {
    this.#serial = serial
    this.#listener = listener
    serial.on("data", (bytes: Uint8Array) =>
      listener.onBytes(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
    )
    serial.on("error", (error) => this.#close(`the port failed: ${error.message}`))
    // Unplugging is a close event that carries an error.
    serial.on("close", (error: Error | null) =>
      this.#end(error === null ? "closed by the agent" : goneReason),
    )
    void runWatchdog({
      clock,
      check: () => check(serial),
      onDead: () => this.#close(goneReason),
      signal: this.#ending.signal,
    })
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#perform((done) => void this.#serial.write(bytes, undefined, done))
  }

  drain(): Promise<void> {
    return this.#perform((done) => this.#serial.drain(done))
  }

  close(): Promise<void> {
    this.#close("closed by the agent")
    return this.#closed.promise
  }

  #perform(start: (done: Callback) => void): Promise<void> {
    // A closed SerialPort would keep the bytes for an open that never comes.
    if (!this.#serial.isOpen) return Promise.reject(new Error("the port is closed"))
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject)
      start((error) => {
        // Of a port that just went away, its end says more than the system call that met it.
        if (error && !this.#serial.isOpen && !this.#isEnded) return
        this.#waiting.delete(reject)
        if (error) reject(error)
        else resolve()
      })
    })
  }

  #close(reason: string): void {
    if (!this.#serial.isOpen) return
    this.#ending.abort()
    this.#closeReason = reason
    // close(2) fails for a device that is gone, and has given the descriptor back all the same.
    this.#serial.close((error) => this.#end(error?.message ?? reason))
  }

  #end(reason: string): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#ending.abort()
    const said = this.#closeReason ?? reason
    for (const reject of this.#waiting) reject(new Error(said))
    this.#waiting.clear()
    this.#listener.onClosed({ reason: said })
    this.#closed.resolve()
  }
}
