import { AppError, type ModemLines } from "@serialcast/contract"
import type { ComPortAnswer, ComPortRequest, ModemState } from "@serialcast/rfc2217"
import type { LineChange } from "../port-driver.ts"
import { answeredValue } from "./answered-value.ts"

// A break starts or ends just before the lines change, as at other ports.
const changeable = ["break", "dtr", "rts"] as const

type Driven = (typeof changeable)[number]

/** Asks which outgoing lines are on. Servers that have none say so here, or leave the answers out. */
export const lineQuestions: readonly ComPortRequest[] = [
  { kind: "dtr", value: null },
  { kind: "rts", value: null },
]

/** The modem lines of a port behind a device server, as far as its answers show them. */
export class Rfc2217Lines {
  /** As set; until the server says otherwise, as an open raises them. */
  #driven = { dtr: true, rts: true }
  #driver: ModemState | null = null
  #presence: "unknown" | "present" | "absent" = "unknown"

  /** All lines; null when the server shows none. */
  get lines(): ModemLines | null {
    if (this.#presence === "absent" || (this.#presence === "unknown" && this.#driver === null)) return null
    const { dtr, rts } = this.#driven
    return { dtr, rts, ...this.#driver }
  }

  /** The server told the lines that the device drives; some do for a device that has none. */
  driven(lines: ModemState): void {
    this.#driver = lines
  }

  /** What `lineQuestions` were answered. pySerial's server does not answer them, and has lines. */
  learn(answers: readonly ComPortAnswer[]): void {
    for (const answer of answers) {
      if (answer.kind !== "dtr" && answer.kind !== "rts") continue
      // ser2net answers the question's own number for a device without lines.
      if (answer.value === null) this.#presence = "absent"
      else this.#set(answer.kind, answer.value)
    }
  }

  /** The requests of a change, in one packet so that the lines change as close together as the server does it. */
  requestsFor(change: LineChange): readonly ComPortRequest[] {
    if (this.#presence === "absent" && (change.dtr ?? change.rts) !== undefined) throw noLines()
    return wantedIn(change).map(([kind, value]): ComPortRequest => ({ kind, value }))
  }

  /**
   * Takes what the requests of `change` were answered. Throws `no_modem_lines` when the server does not set them, and is not
   * asked again while the port is open; `bad_request` when it keeps one as it was.
   */
  changed(change: LineChange, answers: readonly ComPortAnswer[]): void {
    const outcomes = wantedIn(change).map(([line, isOn]) => ({
      line,
      isOn,
      outcome: outcomeOf(line, isOn, answers),
    }))
    // A break needs no modem line.
    for (const { line, isOn, outcome } of outcomes)
      if (line !== "break" && outcome !== "silent") this.#set(line, outcome === "done" ? isOn : !isOn)
    const kept = outcomes.find(({ outcome }) => outcome === "kept")
    if (kept !== undefined)
      throw new AppError("bad_request", `The device server left ${kept.line} as it was.`)
    const silent = outcomes.find(({ outcome }) => outcome === "silent")
    if (silent === undefined) return
    if (silent.line !== "break" && this.#presence === "unknown") this.#presence = "absent"
    if (this.#presence === "absent") throw noLines()
    throw new AppError("no_modem_lines", `The device server did not say that it set ${silent.line}.`)
  }

  #set(line: "dtr" | "rts", isOn: boolean): void {
    this.#driven = { ...this.#driven, [line]: isOn }
    this.#presence = "present"
  }
}

function wantedIn(change: LineChange): readonly (readonly [Driven, boolean])[] {
  return changeable.flatMap((line) => {
    const isOn = change[line]
    return isOn === undefined ? [] : [[line, isOn] as const]
  })
}

function outcomeOf(line: Driven, isOn: boolean, answers: readonly ComPortAnswer[]) {
  const found = answeredValue(line, answers)
  // sredird sets the line, and answers each control with 1, "no flow control".
  if (found === undefined) return answeredValue("flowControl", answers) === undefined ? "silent" : "done"
  if (found === null) return "silent"
  // ser2net 4.3 answers "on" to the end of a break.
  return found === isOn || line === "break" ? "done" : "kept"
}

function noLines(): AppError {
  return new AppError("no_modem_lines", "The device server sets no modem lines of this port.")
}
