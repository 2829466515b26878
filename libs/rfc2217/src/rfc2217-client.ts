import { concatBytes } from "@serialcast/primitives"
import { encodeRequest, parseServerMessage } from "./com-port/com-port-codec.ts"
import type { ComPortAnswer, ComPortRequest, ServerMessage } from "./com-port/com-port-message.ts"
import type { LineState } from "./com-port/line-state.ts"
import type { ModemState } from "./com-port/modem-state.ts"
import { escapeData } from "./telnet/escape-data.ts"
import { joinData } from "./telnet/join-data.ts"
import { OptionTable } from "./telnet/option-table.ts"
import { telnet, telnetOption, type Verb } from "./telnet/telnet-codes.ts"
import { TelnetDecoder, type TelnetDiscardReason, type TelnetEvent } from "./telnet/telnet-decoder.ts"

export type ClientEvent =
  /** From the device, whether anything is agreed or not. Without escapes it is a view of what was received. */
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  /** The server has agreed to COM-PORT: requests may be sent. */
  | { readonly kind: "agreed" }
  /** The server has refused COM-PORT or withdrawn from it: no request will be answered. */
  | { readonly kind: "refused" }
  /** Servers answer in the order in which they were asked. There is none for `modemState` and `lineState`: see these. */
  | { readonly kind: "answer"; readonly answer: ComPortAnswer }
  /** The lines as the device drives them, told by the server or asked for, and what changed since the last time. */
  | { readonly kind: "modemState"; readonly lines: ModemState; readonly changes: ModemState }
  | { readonly kind: "lineState"; readonly state: LineState }
  /** No data may be sent until `resumed`. */
  | { readonly kind: "suspended" }
  | { readonly kind: "resumed" }
  /**
   * Bytes of the protocol that mean nothing, and were passed over. `not-agreed`: a sub-negotiation of an option that is
   * not on; `malformed`: no answer of RFC 2217, a wrong size, or a value it does not number.
   */
  | {
      readonly kind: "discarded"
      readonly reason: TelnetDiscardReason | "not-agreed" | "malformed"
      readonly bytes: number
    }

/** What came from the server, in order, and what to send it at once; `reply` is often empty. */
export interface ClientStep {
  readonly events: readonly ClientEvent[]
  readonly reply: Uint8Array
}

interface OpenStep {
  readonly events: ClientEvent[]
  readonly reply: Uint8Array[]
}

const { binary, comPort, suppressGoAhead, timingMark } = telnetOption

/**
 * The client's side of one telnet connection with RFC 2217, without any I/O.
 *
 * ```
 *   socket ─→ receive ─→ events (data, answers, states) ─→ port
 *          ←─ reply                                      ←─ encodeRequest, encodeData
 * ```
 *
 * Data passes as it is, without CR NUL rules: servers on serial ports send none. The server's offer to echo is refused,
 * because what was written must not come back as if the device had sent it. A service that knows no telnet neither agrees
 * nor refuses: how long to wait is the caller's rule.
 */
export class Rfc2217Client {
  readonly #signature: string
  readonly #decoder = new TelnetDecoder()
  readonly #options = new OptionTable({
    local: [binary, suppressGoAhead, comPort],
    remote: [binary, suppressGoAhead, comPort],
  })
  #isSuspended = false

  /** `signature` is what a server is told that asks (SIGNATURE); when empty it is not answered. */
  constructor(options: { readonly signature: string }) {
    this.#signature = options.signature
  }

  /** The opening, to be sent once before anything else. */
  open(): Uint8Array {
    return concatBytes([
      this.#options.request("local", comPort),
      this.#options.request("local", binary),
      this.#options.request("remote", binary),
      this.#options.request("local", suppressGoAhead),
      this.#options.request("remote", suppressGoAhead),
    ])
  }

  /** Takes a segment, cut anywhere. Throws nothing. */
  receive(bytes: Uint8Array): ClientStep {
    const step: OpenStep = { events: [], reply: [] }
    for (const event of this.#decoder.decode(bytes)) this.#take(event, step)
    return { events: joinData(step.events), reply: concatBytes(step.reply) }
  }

  /** Bytes for the device as they go to the server; the same array when it has no ff. */
  encodeData(bytes: Uint8Array): Uint8Array {
    return escapeData(bytes)
  }

  /**
   * A request as bytes. Most are answered, but no server answers all of them: `modemState` and `lineState` come as events
   * of that kind or not at all, ser2net answers a mask with the state instead, and `suspend`, `resume` and an own
   * signature have no answer.
   */
  encodeRequest(request: ComPortRequest): Uint8Array {
    return encodeRequest(request)
  }

  /** The server has agreed to COM-PORT. */
  get isComPort(): boolean {
    return this.#options.isOn("local", comPort)
  }

  /** The server has sent FLOWCONTROL-SUSPEND: no data may be sent. How long that is respected is the caller's rule. */
  get isSuspended(): boolean {
    return this.#isSuspended
  }

  #take(event: TelnetEvent, step: OpenStep): void {
    switch (event.kind) {
      case "data":
      case "discarded":
        step.events.push(event)
        return
      case "command":
        if (event.command === telnet.ayt) step.reply.push(Uint8Array.of(telnet.iac, telnet.nop))
        return
      case "negotiation":
        return this.#negotiate(event.verb, event.option, step)
      case "subnegotiation":
        return this.#takeSubnegotiation(event.option, event.body, step)
    }
  }

  #negotiate(verb: Verb, option: number, step: OpenStep): void {
    if (verb === "do" && option === timingMark) {
      // Each one is answered (RFC 860).
      step.reply.push(Uint8Array.of(telnet.iac, telnet.wont, timingMark))
      return
    }
    const wasComPort = this.isComPort
    const wasWanted = this.#options.isWanted("local", comPort)
    step.reply.push(this.#options.receive(verb, option))
    if (!wasComPort && this.isComPort) step.events.push({ kind: "agreed" })
    if (!wasWanted || this.#options.isWanted("local", comPort)) return
    if (this.#isSuspended) step.events.push({ kind: "resumed" })
    this.#isSuspended = false
    step.events.push({ kind: "refused" })
  }

  #takeSubnegotiation(option: number, body: Uint8Array, step: OpenStep): void {
    // Before DO COM-PORT too: a server that answers has understood.
    if (option !== comPort || !this.#options.isWanted("local", comPort)) {
      step.events.push({ kind: "discarded", reason: "not-agreed", bytes: body.byteLength })
      return
    }
    const message = parseServerMessage(body)
    if (message === null) {
      step.events.push({ kind: "discarded", reason: "malformed", bytes: body.byteLength })
      return
    }
    this.#takeMessage(message, step)
  }

  #takeMessage(message: ServerMessage, step: OpenStep): void {
    switch (message.kind) {
      case "modemState":
      case "lineState":
        step.events.push(message)
        return
      case "suspend":
      case "resume":
        this.#isSuspended = message.kind === "suspend"
        step.events.push({ kind: this.#isSuspended ? "suspended" : "resumed" })
        return
      case "signature":
        return this.#takeSignature(message.text, step)
      default:
        step.events.push({ kind: "answer", answer: message })
    }
  }

  #takeSignature(text: string, step: OpenStep): void {
    if (text !== "") step.events.push({ kind: "answer", answer: { kind: "signature", text } })
    // An empty answer would be a question.
    else if (this.#signature !== "")
      step.reply.push(encodeRequest({ kind: "signature", text: this.#signature }))
  }
}
