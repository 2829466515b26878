/*
 *   TCP ─→ readSocket ─→ CableEnd ─→ LineWriter ─→ device
 *   TCP ←─ CableConnection ←─ CableEnd ←─ receive ←─ device
 *
 * `CableEnd` decides; this is what its actions and the world make of each other. A connection is attached from `accept`, or
 * from when it was dialled, until `end` or `reset`.
 *
 *   connection   what happens                             what it does
 *   ----------   --------------------------------------   ------------------------------------------------------------------
 *   none         accept, and a client waits               → attached
 *   none         accept, and it has left                  tells that TCP broke
 *   none         dial                                     → dialling
 *   dialling     the target is reached                    → attached; tells that it is
 *   dialling     it is not reached                        → none; tells that
 *   dialling     end, reset                               → none; what is reached after all is reset
 *   attached     it closes, is idle, or does not take     tells that TCP broke
 *                what the line brings
 *   attached     the end tells that it is opened          TCP is read: each piece goes to the line before the next is read
 *   attached     TCP ends in order                        tells that, if the end still takes bytes of TCP
 *   any          TCP brings what the end takes no more    counts it as refused
 *   attached     drain                                    tells when the line is drained, if it is this connection still
 *   attached     deliver                                  to TCP, unless it is closed
 *   attached     end, reset                               → none; the connection ends itself
 *   any          write, discard                           to the line
 */

import { type Clock, type MonotonicMs, msUntil, type Timer } from "@serialcast/primitives"
import {
  type CableAction,
  CableEnd,
  type CableEndOptions,
  type CableInput,
  type CableReport,
} from "@serialcast/serialtcp"
import { readSocket } from "@serialcast/service-kit"
import type { CableConnection } from "./cable-connection.ts"
import type { LineWriter } from "./line-writer.ts"

/**
 * Stuffed, it is still one write to the device (60,000 bytes): one byte in 256 is doubled where all values are as
 * frequent. Data with more of them takes two.
 */
const pieceBytes = 59_000

/** Where connections come from: TCP clients that wait, or a target. */
export type TcpSide =
  | { readonly role: "server"; readonly waiting: () => number; readonly accept: () => CableConnection | null }
  /** Rejects when the target is not reached; `signal` ends the dialling. */
  | { readonly role: "client"; readonly dial: (signal: AbortSignal) => Promise<CableConnection> }

export interface OpenCableOptions {
  readonly end: Omit<CableEndOptions, "role">
  readonly tcp: TcpSide
  readonly line: LineWriter
  readonly clock: Clock
  readonly onReport: (report: CableReport) => void
  /** `phase` is another one. */
  readonly onPhase: () => void
}

/** The end of the cable during one opening of its port. */
export class OpenCable {
  readonly #options: OpenCableOptions
  readonly #end: CableEnd
  #connection: CableConnection | null = null
  #dialing: AbortController | null = null
  #timer: Timer | null = null
  /** What `#timer` was started for; null: nothing. */
  #timerMs: MonotonicMs | null = null
  #lastWrite: Promise<void> = Promise.resolve()

  constructor(options: OpenCableOptions) {
    this.#options = options
    this.#end = new CableEnd({ ...options.end, role: options.tcp.role })
  }

  get phase(): CableEnd["phase"] {
    return this.#end.phase
  }

  /** The port is open, and what it sends will be told. */
  start(): void {
    this.#tell({ kind: "started" })
    this.clientsWaited()
  }

  /** Resolves when more may be received, not while the TCP side does not keep pace, or when `signal` is aborted. */
  async receive(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    this.#tell({ kind: "received", bytes })
    const connection = this.#connection
    if (connection === null || (await connection.room(signal)) === "room") return
    this.#break(connection)
  }

  /** Bytes of the line are missing. */
  tear(): void {
    this.#tell({ kind: "torn" })
  }

  /** The number of clients that wait is another one. */
  clientsWaited(): void {
    const { tcp } = this.#options
    if (tcp.role === "server") this.#tell({ kind: "clientsWaited", count: tcp.waiting() })
  }

  /** Tells the far end, and resets the connection. */
  stop(): void {
    this.#tell({ kind: "stopped" })
    this.#timer?.cancel()
  }

  #tell(input: CableInput): void {
    const { clock, onPhase } = this.#options
    const { phase } = this.#end
    for (const action of this.#end.handle(input, clock.monotonicMs())) this.#do(action)
    this.#startTimer()
    if (this.#end.phase !== phase) onPhase()
  }

  #startTimer(): void {
    const { deadlineMs } = this.#end
    if (deadlineMs === this.#timerMs) return
    this.#timer?.cancel()
    this.#timerMs = deadlineMs
    if (deadlineMs === null) return
    const { clock } = this.#options
    this.#timer = clock.startTimer(msUntil(clock, deadlineMs), () => {
      // A timer of the system may fire a little early: then nothing has come yet, and the next one is started.
      this.#timerMs = null
      this.#tell({ kind: "timePassed" })
    })
  }

  #do(action: CableAction): void {
    const { line, onReport } = this.#options
    switch (action.kind) {
      case "write":
        this.#lastWrite = line.write(action.bytes)
        return
      case "drain":
        void this.#drain()
        return
      case "discard":
        return line.discard()
      case "accept":
        return this.#accept()
      case "dial":
        void this.#dial()
        return
      case "deliver":
        return this.#connection?.deliver(action.bytes)
      case "end":
      case "reset":
        return this.#leave(action.kind)
      case "report":
        if (action.report.kind === "opened" && this.#connection !== null) void this.#carry(this.#connection)
        return onReport(action.report)
    }
  }

  #accept(): void {
    const { tcp } = this.#options
    const connection = tcp.role === "server" ? tcp.accept() : null
    if (connection !== null) this.#attach(connection)
    // It left while the end was told of it.
    else queueMicrotask(() => this.#tell({ kind: "tcpBroken" }))
  }

  async #dial(): Promise<void> {
    const { tcp } = this.#options
    if (tcp.role === "server") return
    const dialing = new AbortController()
    this.#dialing = dialing
    try {
      const connection = await tcp.dial(dialing.signal)
      if (this.#dialing !== dialing) return connection.reset()
      this.#dialing = null
      this.#attach(connection)
      this.#tell({ kind: "dialed" })
    } catch {
      // Why is the far end's client's to wonder about: the cable has one word for it.
      if (this.#dialing !== dialing) return
      this.#dialing = null
      this.#tell({ kind: "dialFailed" })
    }
  }

  #attach(connection: CableConnection): void {
    this.#connection = connection
    const { line } = this.#options
    connection.watch({ onIdle: () => this.#break(connection), isBusy: () => line.isBusy })
    if (connection.closed.aborted) queueMicrotask(() => this.#break(connection))
    else connection.closed.addEventListener("abort", () => this.#break(connection))
  }

  #break(connection: CableConnection): void {
    if (this.#connection === connection) this.#tell({ kind: "tcpBroken" })
  }

  /** Awaiting the line before the next read is what slows the TCP side down to its pace. */
  async #carry(connection: CableConnection): Promise<void> {
    const { socket, record, closed } = connection
    const isCarried = () => this.#connection === connection && this.#end.takesTcp
    for await (const bytes of readSocket(socket, closed, pieceBytes)) {
      // After the far end's disconnect nobody takes it any more.
      if (!isCarried()) {
        record.countRefused(bytes.byteLength)
        continue
      }
      this.#tell({ kind: "tcpReceived", bytes })
      await this.#lastWrite
      record.countFromClient(bytes.byteLength)
      connection.moved()
    }
    if (isCarried() && !closed.aborted) this.#tell({ kind: "tcpEnded" })
  }

  async #drain(): Promise<void> {
    const connection = this.#connection
    await this.#options.line.drained()
    if (this.#connection === connection) this.#tell({ kind: "drained" })
  }

  #leave(kind: "end" | "reset"): void {
    this.#dialing?.abort()
    this.#dialing = null
    this.#connection?.[kind]()
    this.#connection = null
  }
}
