import { AppError, type ModemLines, type PortSettings } from "@serialcast/contract"
import { createDeferred } from "@serialcast/primitives"
import { SerialPort } from "serialport"
import type { LineChange, OpenPort, PortDriver, PortListener } from "../port-driver.ts"
import { explainOpenError } from "./open-error.ts"
import { TtyLines } from "./tty-lines.ts"

/**
 * A port by path or name on systems that are not Linux, as the serialport package opens it: bytes that waited before are lost.
 * Each open makes a new SerialPort, because an old one replays what was written while it was closed.
 */
export function createSerialportDriver(path: string): PortDriver {
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
      return new StreamPort(serial, settings, listener)
    },
  }
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

type Callback = (error: Error | null | undefined) => void

class StreamPort implements OpenPort {
  readonly #serial: SerialPort
  #settings: PortSettings
  readonly #listener: PortListener
  readonly #lines: TtyLines | null
  readonly #closed = createDeferred<void>()
  /** Rejects the calls that still wait for serialport when the port closes: it does not call back all of them. */
  readonly #waiting = new Set<(error: Error) => void>()
  #closeReason: string | null = null
  #isEnded = false

  constructor(serial: SerialPort, settings: PortSettings, listener: PortListener) {
    this.#serial = serial
    this.#settings = settings
    this.#listener = listener
    this.#lines = serial.port === undefined ? null : new TtyLines(serial.port)
    serial.on("data", (bytes: Uint8Array) =>
      listener.onBytes(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
    )
    serial.on("error", (error) => this.#close(`the port failed: ${error.message}`))
    // Unplugging is a close event that carries an error.
    serial.on("close", (error: Error | null) =>
      this.#end(error === null ? "closed by the agent" : "the device went away"),
    )
  }

  /** As it was asked for them: the package does not tell what the system made of that. */
  get settings(): PortSettings {
    return this.#settings
  }

  /** The package takes no write back, so `signal` ends none. */
  async write(bytes: Uint8Array): Promise<number> {
    await this.#perform((done) => void this.#serial.write(bytes, undefined, done))
    return bytes.byteLength
  }

  drain(): Promise<void> {
    return this.#perform((done) => this.#serial.drain(done))
  }

  /** Throws `unsupported` for anything but the baud rate. */
  async configure({ baudRate, ...others }: PortSettings): Promise<void> {
    const { baudRate: _baudRate, ...fixed } = this.#settings
    if (Object.entries(fixed).some(([key, value]) => others[key as keyof typeof others] !== value)) {
      throw new AppError("unsupported", "On this system only the baud rate of an open port can be changed.")
    }
    this.#checkOpen()
    // To set a standard rate drops what the device sent, so it is done for a change only.
    if (baudRate === this.#settings.baudRate) return
    await this.#perform((done) => this.#serial.update({ baudRate }, done))
    this.#settings = { ...this.#settings, baudRate }
  }

  async signal(change: LineChange): Promise<void> {
    this.#checkOpen()
    if (this.#lines === null) throw new AppError("no_modem_lines", "This port has no modem lines.")
    await this.#lines.change(change)
  }

  async readLines(): Promise<ModemLines | null> {
    this.#checkOpen()
    return (await this.#lines?.read()) ?? null
  }

  /** Drops nothing: the package's `flush` would drop what the device sent as well. */
  async purge(): Promise<void> {
    this.#checkOpen()
  }

  close(): Promise<void> {
    this.#close("closed by the agent")
    return this.#closed.promise
  }

  #checkOpen(): void {
    // A closed SerialPort would keep the bytes for an open that never comes.
    if (!this.#serial.isOpen) throw new Error("the port is closed")
  }

  #perform(start: (done: Callback) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#checkOpen()
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
    this.#closeReason = reason
    // Closing fails for a device that is gone, and has given the descriptor back all the same.
    this.#serial.close((error) => this.#end(error?.message ?? reason))
  }

  #end(reason: string): void {
    if (this.#isEnded) return
    this.#isEnded = true
    const said = this.#closeReason ?? reason
    for (const reject of this.#waiting) reject(new Error(said))
    this.#waiting.clear()
    this.#listener.onClosed({ reason: said })
    this.#closed.resolve()
  }
}
