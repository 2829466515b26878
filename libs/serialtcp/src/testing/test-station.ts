import { type Clock, delay, msUntil, type Timer } from "@serialcast/primitives"
import { SerialtcpProgram, type SerialtcpRole } from "@serialcast/testkit"
import { CableEnd, type CableEndOptions } from "../cable-end.ts"
import type { CableAction, CableInput, CableReport } from "../cable-events.ts"
import type { TestApplication } from "./test-application.ts"
import type { TestLine } from "./test-line.ts"

/** A process at one end of the cable. */
export interface TestStation {
  receive(bytes: Uint8Array): void
  /** As `kill -9`: it does and tells nothing more. */
  kill(): void
}

export interface TestStationDeps {
  readonly clock: Clock
  readonly line: TestLine
  /** The next TCP client, or the connection to the target; null: there is none, or it refuses. */
  readonly connect: () => TestApplication | null
  /** Server: how long after a connection the next TCP client comes, in milliseconds. */
  readonly pauseMs: number
}

/** What a read of TCP takes, and how much may wait for the line before the next one. */
const readBytes = 64

/** `CableEnd` with as little around it as it needs. For tests. */
export class CoreStation implements TestStation {
  readonly reports: CableReport[] = []
  readonly end: CableEnd
  readonly #isServer: boolean
  readonly #deps: TestStationDeps
  #tcp: TestApplication | null = null
  #timer: Timer | null = null
  #isPumpPut = false
  #isKilled = false

  constructor(options: CableEndOptions, deps: TestStationDeps) {
    this.#isServer = options.role === "server"
    this.#deps = deps
    this.end = new CableEnd(options)
    this.tell({ kind: "started" })
    this.#offerClient()
  }

  receive(bytes: Uint8Array): void {
    this.tell({ kind: "received", bytes })
  }

  kill(): void {
    this.#isKilled = true
    this.#timer?.cancel()
    this.#tcp?.close("reset")
    this.#deps.line.abandon()
  }

  tell(input: CableInput): void {
    if (this.#isKilled) return
    for (const action of this.end.handle(input, this.#deps.clock.monotonicMs())) this.#do(action)
    this.#pump()
    this.#timer?.cancel()
    const { deadlineMs } = this.end
    if (deadlineMs === null) return
    const { clock } = this.#deps
    this.#timer = clock.startTimer(msUntil(clock, deadlineMs), () => this.tell({ kind: "timePassed" }))
  }

  #do(action: CableAction): void {
    const { line } = this.#deps
    switch (action.kind) {
      case "write":
        return line.write(action.bytes)
      case "drain":
        return line.whenDrained(() => this.tell({ kind: "drained" }))
      case "discard":
        return line.discard()
      case "accept":
        this.#tcp = this.#deps.connect()
        return
      case "dial":
        this.#dial()
        return
      case "deliver":
        this.#tcp?.take(action.bytes)
        return
      case "end":
      case "reset":
        this.#tcp?.close(action.kind === "end" ? "ended" : "reset")
        this.#tcp = null
        return this.#offerClient()
      case "report":
        this.reports.push(action.report)
    }
  }

  #offerClient(): void {
    const { clock, pauseMs } = this.#deps
    if (this.#isServer) clock.startTimer(pauseMs, () => this.tell({ kind: "clientsWaited", count: 1 }))
  }

  #dial(): void {
    const tcp = this.#deps.connect()
    this.#tcp = tcp
    this.#later(() => {
      if (this.#tcp === tcp) this.tell({ kind: tcp === null ? "dialFailed" : "dialed" })
    })
  }

  #later(then: () => void): void {
    this.#deps.clock.startTimer(1, then)
  }

  #pumpLater(): void {
    if (this.#isPumpPut) return
    this.#isPumpPut = true
    this.#later(() => {
      this.#isPumpPut = false
      this.#pump()
    })
  }

  #pump(): void {
    const tcp = this.#tcp
    const { line } = this.#deps
    if (this.#isKilled || tcp === null || !this.end.takesTcp) return
    if (line.queuedBytes >= readBytes) return this.#pumpLater()
    const given = tcp.give(readBytes)
    if (given === null) return
    this.#later(() => {
      if (this.#tcp !== tcp) return
      this.tell(given === "ended" ? { kind: "tcpEnded" } : { kind: "tcpReceived", bytes: given })
    })
  }
}

/** The existing program. For tests. */
export class OriginalStation implements TestStation {
  readonly #program: SerialtcpProgram
  readonly #killed = new AbortController()
  readonly running: Promise<void>

  constructor(role: "server" | "client", { clock, line, connect, pauseMs }: TestStationDeps) {
    const { signal } = this.#killed
    const dial = async () => {
      await delay(clock, 1, signal)
      return signal.aborted ? null : (connect()?.asOriginalTcp(clock) ?? null)
    }
    let waitedMs = 0
    const accept = async (timeoutMs: number) => {
      const waitMs = Math.min(timeoutMs, pauseMs - waitedMs)
      await delay(clock, waitMs, signal)
      waitedMs += waitMs
      if (waitedMs < pauseMs) return null
      waitedMs = 0
      return await dial()
    }
    const side: SerialtcpRole = role === "server" ? { role, accept } : { role, dial }
    const write = (bytes: Uint8Array) => line.write(bytes)
    this.#program = new SerialtcpProgram(side, { clock, signal, write })
    this.running = this.#program.run()
  }

  receive(bytes: Uint8Array): void {
    if (!this.#killed.signal.aborted) this.#program.receive(bytes)
  }

  kill(): void {
    this.#killed.abort()
  }
}
