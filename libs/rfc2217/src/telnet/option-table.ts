import { telnet, type Verb } from "./telnet-codes.ts"

/** Who performs an option: `local`, we do (our WILL, the peer's DO); `remote`, the peer does (its WILL, our DO). */
export type OptionSide = "local" | "remote"

interface OptionState {
  readonly state: "no" | "wantYes" | "yes"
  readonly hasRefused: boolean
}

const initial: OptionState = { state: "no", hasRefused: false }

/**
 * What is agreed on one connection, option by option and for each side (RFC 1143, "the Q method").
 *
 * Only changes are answered, so negotiation ends with every peer. A request for an option that is not `accepted` is
 * refused once, and its repetitions are passed over: there are peers that repeat it because of the refusal. We never ask
 * for the end of an option, so WANTNO and the queues of RFC 1143 do not arise.
 */
export class OptionTable {
  readonly #accepted: Readonly<Record<OptionSide, ReadonlySet<number>>>
  readonly #states = { local: new Map<number, OptionState>(), remote: new Map<number, OptionState>() }

  constructor(accepted: Readonly<Record<OptionSide, readonly number[]>>) {
    this.#accepted = { local: new Set(accepted.local), remote: new Set(accepted.remote) }
  }

  /** Asks for an option: what to send, empty when it is on or asked for already. */
  request(side: OptionSide, option: number): Uint8Array {
    if (this.#of(side, option).state !== "no") return new Uint8Array(0)
    this.#states[side].set(option, { ...initial, state: "wantYes" })
    return encode(side, true, option)
  }

  /** Takes the peer's word: what to send, empty when it needs no answer. */
  receive(verb: Verb, option: number): Uint8Array {
    const side = verb === "will" || verb === "wont" ? "remote" : "local"
    const { state, hasRefused } = this.#of(side, option)
    const isOn = verb === "will" || verb === "do"
    const isRefused = isOn && state === "no" && !this.#accepted[side].has(option)
    const next = isOn && !isRefused ? "yes" : "no"
    this.#states[side].set(option, { state: next, hasRefused: hasRefused || isRefused })
    const isAnswered = isRefused ? !hasRefused : state !== next && state !== "wantYes"
    return isAnswered ? encode(side, next === "yes", option) : new Uint8Array(0)
  }

  isOn(side: OptionSide, option: number): boolean {
    return this.#of(side, option).state === "yes"
  }

  /** On, or asked for and not refused so far. */
  isWanted(side: OptionSide, option: number): boolean {
    return this.#of(side, option).state !== "no"
  }

  #of(side: OptionSide, option: number): OptionState {
    return this.#states[side].get(option) ?? initial
  }
}

function encode(side: OptionSide, isOn: boolean, option: number): Uint8Array {
  const verb = side === "local" ? (isOn ? telnet.will : telnet.wont) : isOn ? telnet.do : telnet.dont
  return Uint8Array.of(telnet.iac, verb, option)
}
