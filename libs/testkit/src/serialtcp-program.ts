import { after, type Clock, createWakeup, type MonotonicMs, msUntil } from "@serialcast/primitives"

/** One TCP connection, as the program sees it. */
export interface SerialtcpTcp {
  /** At most 4,096 bytes; `ended` for an orderly end; `timeout` when nothing came in time. */
  read(timeoutMs: number): Promise<Uint8Array | "ended" | "timeout">
  write(bytes: Uint8Array): void
  close(): void
}

export interface SerialtcpOptions {
  readonly clock: Clock
  /** Ends the program. */
  readonly signal: AbortSignal
  /** To the line. */
  readonly write: (bytes: Uint8Array) => void
  /** Default 10,000. */
  readonly timeoutMs?: number
}

type ConnectTcp = (timeoutMs: number) => Promise<SerialtcpTcp | null>

/** A server waits for a TCP client, a client dials; null: not in time, or not at all. */
export type SerialtcpRole =
  | { readonly role: "server"; readonly accept: ConnectTcp }
  | { readonly role: "client"; readonly dial: ConnectTcp }

/** How long the program looks at nothing but TCP. */
const pollMs = 1_000

/**
 * The program serialtcp as it behaves, rebuilt from what was observed of it and from nothing of Serialcast:
 * a reader that reacts at once, and a main loop that looks at one code each time it comes by, up to a second later. Its
 * faults are there too: data that is read together with a disconnect is lost, a looped line makes it flood, and when it
 * has found the other end it knows no codes of synchronising.
 */
export class SerialtcpProgram {
  readonly #role: SerialtcpRole
  readonly #options: SerialtcpOptions
  readonly #queue: number[] = []
  readonly #queued = createWakeup()
  #isEscaped = false
  #isGateOpen = false
  #attached: SerialtcpTcp | null = null

  constructor(role: SerialtcpRole, options: SerialtcpOptions) {
    this.#role = role
    this.#options = options
  }

  /** The reader: what one read of the line gave. */
  receive(bytes: Uint8Array): void {
    const data: number[] = []
    for (const byte of bytes) {
      if (this.#isEscaped) {
        this.#isEscaped = false
        if (byte === 0x1f) data.push(...(this.#isGateOpen ? [byte] : []))
        else this.#control(byte)
      } else if (byte === 0x1f) {
        this.#isEscaped = true
      } else if (this.#isGateOpen) {
        data.push(byte)
      }
    }
    if (data.length > 0) this.#attached?.write(Uint8Array.from(data))
  }

  /** The main loop. Resolves when `signal` is aborted. */
  async run(): Promise<void> {
    const { signal } = this.#options
    while (!signal.aborted) {
      await this.#synchronise()
      if (signal.aborted) return
      if (this.#role.role === "server") await this.#serveOne(this.#role.accept)
      else await this.#dialOne(this.#role.dial)
      this.#isGateOpen = false
      this.#attached = null
    }
  }

  #control(code: number): void {
    this.#queue.push(code)
    this.#queued.wake()
    if (code === 0x73 && this.#attached !== null) this.#isGateOpen = true
    if (code === 0x44) {
      this.#isGateOpen = false
      this.#attached = null
    }
  }

  async #synchronise(): Promise<void> {
    for (
      let timeoutMs = 1_000;
      !this.#options.signal.aborted;
      timeoutMs = Math.min(60_000, timeoutMs * 1.5)
    ) {
      // What came before is of the past, the far end's question too.
      this.#queue.length = 0
      this.#send(0x44, 0x44, this.#role.role === "server" ? 0xe0 : 0xc1)
      if (await this.#attempt(timeoutMs)) return
    }
  }

  async #attempt(timeoutMs: number): Promise<boolean> {
    const isServer = this.#role.role === "server"
    const [mine, theirs] = isServer ? [0xe0, 0xc0] : [0xc0, 0xe0]
    for (let step = 1; step <= 3; step++) {
      if (!(await this.#expect(step, theirs, timeoutMs))) return false
      if (isServer) this.#send(mine + step)
      else if (step < 3) this.#send(mine + step + 1)
    }
    return true
  }

  /** Whether code `step` came before anything that ends the attempt. */
  async #expect(step: number, theirs: number, timeoutMs: number): Promise<boolean> {
    const deadlineMs = after(this.#options.clock.monotonicMs(), timeoutMs)
    for (;;) {
      const code = await this.#nextCode(deadlineMs)
      if (code === null) return false
      if (code === theirs + step) return true
      if (step > 1 && code === theirs + step - 1) continue
      if ([0xe1, 0xe2, 0xe3, 0xc1, 0xc2, 0xc3].includes(code)) return false
      if (code === 0xe0 && theirs === 0xe0) return false
    }
  }

  async #serveOne(accept: ConnectTcp): Promise<void> {
    for (;;) {
      const tcp = await accept(pollMs)
      if (this.#options.signal.aborted) return tcp?.close()
      if (tcp !== null) return await this.#call(tcp)
      if (this.#queue.splice(0).includes(0x44)) return
    }
  }

  async #call(tcp: SerialtcpTcp): Promise<void> {
    this.#attached = tcp
    this.#send(0x43)
    const { clock, timeoutMs = 10_000 } = this.#options
    const deadlineMs = after(clock.monotonicMs(), timeoutMs)
    for (;;) {
      const code = await this.#nextCode(deadlineMs)
      if (code === null || code === 0x46 || code === 0x44) return tcp.close()
      if (code === 0x63) break
    }
    this.#send(0x73)
    await this.#carry(tcp)
  }

  async #dialOne(dial: ConnectTcp): Promise<void> {
    for (;;) {
      const code = await this.#nextCode(null)
      if (code === null || code === 0x44) return
      if (code !== 0x43) continue
      const tcp = await dial(this.#options.timeoutMs ?? 10_000)
      if (tcp === null) return this.#send(0x46)
      this.#attached = tcp
      this.#send(0x63, 0x73)
      return await this.#carry(tcp)
    }
  }

  async #carry(tcp: SerialtcpTcp): Promise<void> {
    const { signal, write } = this.#options
    while (!signal.aborted && this.#queue.shift() !== 0x44) {
      const read = await tcp.read(pollMs)
      if (read === "ended") break
      if (read !== "timeout")
        write(Uint8Array.from(Array.from(read, (byte) => (byte === 0x1f ? [byte, byte] : [byte])).flat()))
    }
    this.#send(0x44)
    tcp.close()
  }

  /** `deadlineMs`: null: never. Answers null when it has come, or the program ends. */
  async #nextCode(deadlineMs: MonotonicMs | null): Promise<number | null> {
    const { clock, signal } = this.#options
    for (;;) {
      const code = this.#queue.shift()
      if (code !== undefined) return code
      const leftMs = deadlineMs === null ? null : msUntil(clock, deadlineMs)
      if (leftMs === 0 || signal.aborted) return null
      const timeout = leftMs === null ? undefined : { clock, ms: leftMs }
      await this.#queued.wait({ signal, timeout })
    }
  }

  #send(...sent: readonly number[]): void {
    if (!this.#options.signal.aborted)
      this.#options.write(Uint8Array.from(sent.flatMap((code) => [0x1f, code])))
  }
}
