import { telnet, type Verb } from "./telnet-codes.ts"

/** Why bytes of the peer were thrown away by the telnet layer. */
export type TelnetDiscardReason =
  /** A sub-negotiation without an option. */
  | "empty"
  /** Another command came before the end of the sub-negotiation. */
  | "unfinished"
  /** A sub-negotiation beyond `maxSubnegotiation`. */
  | "too-long"

export type TelnetEvent =
  /** Data, with doubled ff undone. Without any ff it is a view of what was given to `decode`. */
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  /** IAC and one byte from ec to f9: EOF, SUSP, ABORT, EOR, BRK, AYT, IP, DM, NOP and others. */
  | { readonly kind: "command"; readonly command: number }
  | { readonly kind: "negotiation"; readonly verb: Verb; readonly option: number }
  /** What stood between the option and IAC SE, with doubled ff undone. */
  | { readonly kind: "subnegotiation"; readonly option: number; readonly body: Uint8Array }
  | { readonly kind: "discarded"; readonly reason: TelnetDiscardReason; readonly bytes: number }

/**
 * Most bytes of a sub-negotiation, with its option. The longest one of RFC 2217 is a signature; those of known programs
 * have less than 100.
 */
export const maxSubnegotiation = 1024

const verbs: ReadonlyMap<number, Verb> = new Map([
  [telnet.will, "will"],
  [telnet.wont, "wont"],
  [telnet.do, "do"],
  [telnet.dont, "dont"],
])

/**
 * Cuts what a telnet peer sends into data, commands and negotiation (RFC 854, 855), at any segment boundary.
 *
 * IAC before a byte below ec is no command: both are data, because there are clients that do not double ff. The same
 * holds inside a sub-negotiation; any other command there ends it as `unfinished` and is a command, so that a lost SE
 * costs no more than the sub-negotiation.
 */
export class TelnetDecoder {
  #state: "data" | "command" | "option" | "body" | "bodyCommand" = "data"
  #verb: Verb = "dont"
  readonly #body = new Uint8Array(maxSubnegotiation)
  /** Bytes of the sub-negotiation so far, those beyond its bound included. */
  #bodySize = 0
  /** Of them, how many were told as discarded. */
  #toldSize = 0

  /** The events in `bytes`, in order. It throws nothing and keeps at most one sub-negotiation. */
  decode(bytes: Uint8Array): readonly TelnetEvent[] {
    const events: TelnetEvent[] = []
    let at = 0
    while (at < bytes.length) at = this.#advance(bytes, at, events)
    this.#tellTooLong(events)
    return events
  }

  #advance(bytes: Uint8Array, at: number, events: TelnetEvent[]): number {
    const byte = bytes[at] ?? 0
    switch (this.#state) {
      case "data":
        return this.#takeData(bytes, at, events)
      case "command":
        this.#takeCommand(byte, events)
        return at + 1
      case "option":
        events.push({ kind: "negotiation", verb: this.#verb, option: byte })
        this.#state = "data"
        return at + 1
      case "body":
        return this.#takeBody(bytes, at)
      case "bodyCommand":
        this.#takeBodyCommand(byte, events)
        return at + 1
    }
  }

  #takeData(bytes: Uint8Array, at: number, events: TelnetEvent[]): number {
    const { data, end } = readData(bytes, at)
    if (data.byteLength > 0) events.push({ kind: "data", bytes: data })
    if (end < bytes.byteLength) this.#state = "command"
    return end + 1
  }

  #takeCommand(byte: number, events: TelnetEvent[]): void {
    const verb = verbs.get(byte)
    this.#state = "data"
    if (verb !== undefined) {
      this.#verb = verb
      this.#state = "option"
    } else if (byte === telnet.sb) {
      this.#bodySize = 0
      this.#toldSize = 0
      this.#state = "body"
    } else if (isData(byte)) {
      events.push({ kind: "data", bytes: unescapePair(byte) })
    } else {
      events.push({ kind: "command", command: byte })
    }
  }

  #takeBody(bytes: Uint8Array, at: number): number {
    const iac = bytes.indexOf(telnet.iac, at)
    const end = iac === -1 ? bytes.byteLength : iac
    this.#keep(bytes.subarray(at, end))
    if (iac !== -1) this.#state = "bodyCommand"
    return end + 1
  }

  #takeBodyCommand(byte: number, events: TelnetEvent[]): void {
    this.#state = "body"
    if (isData(byte)) return this.#keep(unescapePair(byte))
    this.#state = "data"
    if (this.#bodySize > maxSubnegotiation) this.#tellTooLong(events)
    else if (byte !== telnet.se)
      events.push({ kind: "discarded", reason: "unfinished", bytes: this.#bodySize })
    else this.#endBody(events)
    this.#bodySize = 0
    if (byte !== telnet.se) this.#takeCommand(byte, events)
  }

  #endBody(events: TelnetEvent[]): void {
    const [option] = this.#body
    if (this.#bodySize === 0 || option === undefined) {
      events.push({ kind: "discarded", reason: "empty", bytes: 0 })
    } else {
      events.push({ kind: "subnegotiation", option, body: this.#body.slice(1, this.#bodySize) })
    }
  }

  #keep(bytes: Uint8Array): void {
    this.#bodySize += bytes.byteLength
    if (this.#bodySize <= maxSubnegotiation) this.#body.set(bytes, this.#bodySize - bytes.byteLength)
  }

  /** A sub-negotiation that never ends swallows everything, so what it swallowed is told with each segment. */
  #tellTooLong(events: TelnetEvent[]): void {
    if (this.#bodySize <= maxSubnegotiation || this.#bodySize === this.#toldSize) return
    events.push({ kind: "discarded", reason: "too-long", bytes: this.#bodySize - this.#toldSize })
    this.#toldSize = this.#bodySize
  }
}

/** Whether IAC and this byte mean data. */
function isData(byte: number | undefined): boolean {
  return byte !== undefined && (byte < telnet.eof || byte === telnet.iac)
}

function unescapePair(byte: number): Uint8Array {
  return byte === telnet.iac ? Uint8Array.of(telnet.iac) : Uint8Array.of(telnet.iac, byte)
}

/** Data from `at` to `end`, where the IAC of a command stands or the bytes end. */
function readData(bytes: Uint8Array, at: number): { readonly data: Uint8Array; readonly end: number } {
  const iac = bytes.indexOf(telnet.iac, at)
  let end = iac === -1 ? bytes.length : iac
  let doubled = 0
  while (end < bytes.length && (bytes[end] !== telnet.iac || isData(bytes[end + 1]))) {
    const isPair = bytes[end] === telnet.iac
    if (isPair && bytes[end + 1] === telnet.iac) doubled++
    end += isPair ? 2 : 1
  }
  const raw = bytes.subarray(at, end)
  return { data: doubled === 0 ? raw : undouble(raw, doubled), end }
}

function undouble(raw: Uint8Array, doubled: number): Uint8Array {
  const data = new Uint8Array(raw.byteLength - doubled)
  let to = 0
  let isAfterIac = false
  // Index and `length`: iterators, `filter` and `byteLength` in the condition take ten times as long in V8.
  for (let at = 0; at < raw.length; at++) {
    const byte = raw[at] ?? 0
    isAfterIac = byte === telnet.iac && !isAfterIac
    if (byte !== telnet.iac || isAfterIac) data[to++] = byte
  }
  return data
}
