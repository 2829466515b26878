import { concatBytes } from "@serialcast/primitives"
import type { BaudRateStyle } from "./com-port/baud-rate.ts"
import { encodeAnswer, encodeNotification, isCiscoBaudRate, parseRequest } from "./com-port/com-port-codec.ts"
import type { ComPortRequest, PortAnswer, PortRequest } from "./com-port/com-port-message.ts"
import { encodeLineState, type LineState } from "./com-port/line-state.ts"
import { LineStateReport } from "./com-port/line-state-report.ts"
import { encodeModemState, type ModemState } from "./com-port/modem-state.ts"
import { ModemStateReport } from "./com-port/modem-state-report.ts"
import { escapeData } from "./telnet/escape-data.ts"
import { joinData } from "./telnet/join-data.ts"
import { OptionTable } from "./telnet/option-table.ts"
import { ReturnFilter } from "./telnet/return-filter.ts"
import { telnet, telnetOption, type Verb } from "./telnet/telnet-codes.ts"
import { TelnetDecoder, type TelnetDiscardReason, type TelnetEvent } from "./telnet/telnet-decoder.ts"

export type ServerEvent =
  /** For the device. Without escapes it is a view of what was received. */
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  /** To be answered with `answer`, always: a client waits seconds for each one. */
  | { readonly kind: "request"; readonly request: PortRequest }
  /** A break of the usual length (IAC BRK). Clients that time it themselves send requests of kind `break`. */
  | { readonly kind: "break" }
  /** COM-PORT is agreed: the modem state is to be told now, with `notifyModemState`. */
  | { readonly kind: "agreed" }
  /** What the client calls itself. */
  | { readonly kind: "signature"; readonly text: string }
  /** No data may be sent until `resumed`, or `endSuspension` when it takes too long; answers wait in here. */
  | { readonly kind: "suspended" }
  | { readonly kind: "resumed" }
  /**
   * Bytes of the protocol that mean nothing, and were passed over. `not-agreed`: a sub-negotiation of an option that is
   * not on; `malformed`: no command of RFC 2217, a wrong size, or a value it does not number.
   */
  | {
      readonly kind: "discarded"
      readonly reason: TelnetDiscardReason | "not-agreed" | "malformed"
      readonly bytes: number
    }

/** What came from the client, in order, and what to send it at once; `reply` is often empty. */
export interface ServerStep {
  readonly events: readonly ServerEvent[]
  readonly reply: Uint8Array
}

interface OpenStep {
  readonly events: ServerEvent[]
  readonly reply: Uint8Array[]
}

const { binary, comPort, echo, suppressGoAhead, timingMark } = telnetOption

/**
 * The server's side of one telnet connection with RFC 2217, without any I/O.
 *
 * ```
 *   socket ─→ receive ─→ events (data, requests, break) ─→ device
 *          ←─ reply                                     ←─ answer
 *          ←───────── encodeData, notifyModemState, notifyLineState
 * ```
 *
 * It answers what belongs to the connection itself (options, signature, masks, AYT); what belongs to the port comes as a
 * request. It serves plain telnet too: WILL ECHO and WILL SGA bring a terminal into character mode, and nothing is ever
 * echoed by it. CR NUL of a terminal becomes CR, but not once COM-PORT was offered or BINARY is on. IP (telnet's Ctrl-C in
 * line mode) is 03 for the device, from terminals only.
 *
 * The parts are bounded: one sub-negotiation of at most 1 KiB, the state of 256 options, and, while the client suspends,
 * one answer of each kind.
 */
export class Rfc2217Server {
  readonly #signature: string
  readonly #decoder = new TelnetDecoder()
  readonly #options = new OptionTable({
    local: [binary, echo, suppressGoAhead, comPort],
    remote: [binary, suppressGoAhead, comPort],
  })
  readonly #returns = new ReturnFilter()
  readonly #modemState = new ModemStateReport()
  readonly #lineState = new LineStateReport()
  #baudRateStyle: BaudRateStyle = "rfc2217"
  #hasSeenComPort = false
  #isSuspended = false
  /** Answers that may not be sent while suspended, by kind. */
  readonly #held = new Map<string, Uint8Array>()

  /** `signature` is what a client is told that asks (SIGNATURE); when empty it is not answered. */
  constructor(options: { readonly signature: string }) {
    this.#signature = options.signature
  }

  /** The opening, to be sent once before anything else. Every client that we know of gets on with it in this order. */
  open(): Uint8Array {
    return concatBytes([
      this.#options.request("local", suppressGoAhead),
      this.#options.request("remote", suppressGoAhead),
      this.#options.request("local", echo),
      this.#options.request("remote", binary),
      this.#options.request("local", binary),
      this.#options.request("remote", comPort),
    ])
  }

  /** Takes a segment, cut anywhere. Throws nothing. Send `reply` before what comes of the events. */
  receive(bytes: Uint8Array): ServerStep {
    const step: OpenStep = { events: [], reply: [] }
    for (const event of this.#decoder.decode(bytes)) this.#take(event, step)
    return { events: joinData(step.events), reply: concatBytes(step.reply) }
  }

  /** Bytes of the device as they go to the client; the same array when it has no ff. */
  encodeData(bytes: Uint8Array): Uint8Array {
    return escapeData(bytes)
  }

  /**
   * The answer to a request: for a setting the value in force, which is the one asked for when the port took it (clients
   * compare for equality, also baud rates that the hardware rounds). Empty while suspended: it comes with the reply that ends
   * that, and of several of a kind the last one.
   */
  answer(answer: PortAnswer): Uint8Array {
    return this.#command(answer.kind, this.#encode(answer))
  }

  /**
   * Takes the modem lines as they are now: what to send, empty when the client is not to be told. What is held back by a
   * suspension comes with the reply that ends it. Absent lines are off.
   */
  notifyModemState(lines: Partial<ModemState>): Uint8Array {
    this.#modemState.update(encodeModemState(lines))
    return this.#takeNotifications()
  }

  /** Takes what happened on the line: what to send, empty when the client is not to be told. */
  notifyLineState(state: Partial<LineState>): Uint8Array {
    this.#lineState.update(encodeLineState(state))
    return this.#takeNotifications()
  }

  /** Goes on as if the client had sent RESUME: what to send. */
  endSuspension(): Uint8Array {
    this.#isSuspended = false
    const held = [...this.#held.values()]
    this.#held.clear()
    return concatBytes([...held, this.#takeNotifications()])
  }

  /** COM-PORT is agreed, in either direction. */
  get isComPort(): boolean {
    return this.#options.isOn("remote", comPort) || this.#options.isOn("local", comPort)
  }

  /** The client has sent FLOWCONTROL-SUSPEND: neither data nor commands may be sent. How long that is respected is the caller's rule. */
  get isSuspended(): boolean {
    return this.#isSuspended
  }

  #take(event: TelnetEvent, step: OpenStep): void {
    switch (event.kind) {
      case "data":
        return this.#takeData(event.bytes, step)
      case "command":
        return this.#takeCommand(event.command, step)
      case "negotiation":
        return this.#negotiate(event.verb, event.option, step)
      case "subnegotiation":
        return this.#takeSubnegotiation(event.option, event.body, step)
      case "discarded":
        step.events.push(event)
    }
  }

  #takeData(bytes: Uint8Array, step: OpenStep): void {
    const isBinary = this.#hasSeenComPort || this.#options.isOn("remote", binary)
    if (isBinary) this.#returns.reset()
    const data = isBinary ? bytes : this.#returns.filter(bytes)
    if (data.byteLength > 0) step.events.push({ kind: "data", bytes: data })
  }

  #takeCommand(command: number, step: OpenStep): void {
    if (command === telnet.brk) step.events.push({ kind: "break" })
    // To a program, text would be data of the device; NOP shows it as well that we live.
    if (command === telnet.ayt)
      step.reply.push(this.isComPort ? Uint8Array.of(telnet.iac, telnet.nop) : yesText())
    if (command === telnet.ip && !this.#hasSeenComPort) this.#takeData(Uint8Array.of(0x03), step)
  }

  #negotiate(verb: Verb, option: number, step: OpenStep): void {
    if (verb === "do" && option === timingMark) {
      // Each one is answered (RFC 860): telnet shows no output from Ctrl-C until then.
      step.reply.push(Uint8Array.of(telnet.iac, telnet.wont, timingMark))
      return
    }
    const wasComPort = this.isComPort
    step.reply.push(this.#options.receive(verb, option))
    if (wasComPort === this.isComPort) return
    if (this.#isSuspended) step.events.push({ kind: "resumed" })
    this.#isSuspended = false
    this.#held.clear()
    if (wasComPort) return
    this.#hasSeenComPort = true
    this.#modemState.start()
    this.#lineState.start()
    step.events.push({ kind: "agreed" })
  }

  #takeSubnegotiation(option: number, body: Uint8Array, step: OpenStep): void {
    if (option !== comPort || !this.isComPort) {
      step.events.push({ kind: "discarded", reason: "not-agreed", bytes: body.byteLength })
      return
    }
    const request = parseRequest(body)
    if (request === null) {
      step.events.push({ kind: "discarded", reason: "malformed", bytes: body.byteLength })
      return
    }
    if (isCiscoBaudRate(body)) this.#baudRateStyle = "cisco"
    this.#takeRequest(request, step)
  }

  #takeRequest(request: ComPortRequest, step: OpenStep): void {
    switch (request.kind) {
      case "signature":
        return this.#takeSignature(request.text, step)
      case "modemStateMask":
        this.#modemState.setMask(request.value)
        step.reply.push(this.#command(request.kind, encodeAnswer(request)), this.#takeNotifications())
        return
      case "lineStateMask":
        this.#lineState.setMask(request.value)
        step.reply.push(this.#command(request.kind, encodeAnswer(request)))
        return
      case "suspend":
        this.#isSuspended = true
        step.events.push({ kind: "suspended" })
        return
      case "resume":
        step.reply.push(this.endSuspension())
        step.events.push({ kind: "resumed" })
        return
      default:
        step.events.push({ kind: "request", request })
    }
  }

  #takeSignature(text: string, step: OpenStep): void {
    if (text !== "") step.events.push({ kind: "signature", text })
    // An empty answer would be a question.
    else if (this.#signature !== "")
      step.reply.push(this.#command("signature", encodeAnswer({ kind: "signature", text: this.#signature })))
  }

  #encode(answer: PortAnswer): Uint8Array {
    if (answer.kind === "modemState") {
      this.#modemState.update(encodeModemState(answer.lines))
      return encodeNotification("modemState", this.#modemState.takeAnswer())
    }
    if (answer.kind === "lineState") return encodeNotification("lineState", encodeLineState(answer.state))
    return encodeAnswer(answer, this.#baudRateStyle)
  }

  /** A command of COM-PORT to be sent: at once, or with what ends the suspension. */
  #command(kind: string, bytes: Uint8Array): Uint8Array {
    if (!this.#isSuspended) return bytes
    // In the order of the last ones; whoever asks on and on fills no memory.
    this.#held.delete(kind)
    this.#held.set(kind, bytes)
    return new Uint8Array(0)
  }

  #takeNotifications(): Uint8Array {
    if (!this.isComPort || this.#isSuspended) return new Uint8Array(0)
    const modem = this.#modemState.takeDue()
    const line = this.#lineState.takeDue()
    return concatBytes([
      modem === null ? new Uint8Array(0) : encodeNotification("modemState", modem),
      line === null ? new Uint8Array(0) : encodeNotification("lineState", line),
    ])
  }
}

/** The visible sign of life that AYT asks for (RFC 854). */
function yesText(): Uint8Array {
  return new TextEncoder().encode("\r\n[yes]\r\n")
}
