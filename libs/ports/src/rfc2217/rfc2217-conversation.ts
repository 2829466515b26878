/*
 *   server ─→ receive ─→ data, lines, suspend ─→ events
 *                     ─→ answers ─→ the question that waits
 *   server ←─ post ←─ ask (held while the server suspends)
 */
import { AppError } from "@serialcast/contract"
import { type Clock, concatBytes, createDeferred, within } from "@serialcast/primitives"
import {
  type ClientEvent,
  type ComPortAnswer,
  type ComPortRequest,
  type LineState,
  type ModemState,
  Rfc2217Client,
} from "@serialcast/rfc2217"
import { type Question, QuestionQueue } from "./question-queue.ts"

// pySerial waits as long for each answer: servers are made for that.
const answerMs = 3_000
// For a server that does not say which answer is the last one.
const unfencedMs = 1_000
// More than ever wait at a time: that many owed answers do not come any more.
const maxQuestions = 32
const signature = "Serialcast"

export interface ConversationEvents {
  onBytes(bytes: Uint8Array): void
  onModemState(lines: ModemState): void
  onLineState(state: LineState): void
  /** What the server sends is no telnet: bytes of the device are lost with it. Told once until data comes again. */
  onLost(): void
  /** Data may be sent again. */
  onResumed(): void
  /** The server takes no requests any more, or answers none. */
  onBroken(reason: string): void
}

export interface ConversationDeps {
  readonly clock: Clock
  readonly events: ConversationEvents
  /** Sends in order, without waiting. */
  readonly post: (bytes: Uint8Array) => void
}

/**
 * What is said with a device server by RFC 2217, without its socket. Servers leave out answers: ser2net those about the
 * modem lines of a device that has none, pySerial's those to questions about lines. But they answer in order, and each of
 * them its baud rate: so the requests of a question end with asking for that, and what is not answered by then never is.
 */
export class Rfc2217Conversation {
  readonly #deps: ConversationDeps
  readonly #client = new Rfc2217Client({ signature })
  readonly #questions = new QuestionQueue()
  readonly #agreed = createDeferred<"agreed" | "refused">()
  /** Requests that wait until the server resumes. */
  readonly #held = new Map<Question, Uint8Array>()
  /** Whether the server tells its baud rate when asked: what is answered first shows it. */
  #fence: "unknown" | "present" | "absent" = "unknown"
  #isLosing = false
  #endReason: string | null = null

  constructor(deps: ConversationDeps) {
    this.#deps = deps
    // The opening may have failed already when the connection ends.
    this.#agreed.promise.catch(() => undefined)
  }

  /** Neither data nor requests may be sent (RFC 2217, FLOWCONTROL-SUSPEND). */
  get isSuspended(): boolean {
    return this.#client.isSuspended
  }

  /** Begins. Answers what the server says to RFC 2217 within 3 s; a service that knows no telnet says nothing. */
  async open(): Promise<"agreed" | "refused" | "silent"> {
    this.#deps.post(this.#client.open())
    let said: "agreed" | "refused" | "silent" = "silent"
    const heard = this.#agreed.promise.then((answer) => {
      said = answer
    })
    await within(heard, { clock: this.#deps.clock, timeoutMs: answerMs })
    return said
  }

  /** Data as it goes to the server. */
  encodeData(bytes: Uint8Array): Uint8Array {
    return this.#client.encodeData(bytes)
  }

  receive(bytes: Uint8Array): void {
    const { events, reply } = this.#client.receive(bytes)
    if (reply.byteLength > 0) this.#deps.post(reply)
    for (const event of events) this.#take(event)
  }

  /**
   * Asks, in one packet, and answers all that the server answers to it. Throws `device_offline` when it does not within 3 s,
   * the time for which it suspends included; what was sent by then, it may still do.
   */
  async ask(requests: readonly ComPortRequest[]): Promise<readonly ComPortAnswer[]> {
    const question = this.#post(requests)
    let isOver = false
    const over = question.over.then(() => {
      isOver = true
    })
    const timeoutMs = this.#fence === "absent" && !this.isSuspended ? unfencedMs : answerMs
    await within(over, { clock: this.#deps.clock, timeoutMs })
    const { answers } = question
    if (this.#fence === "unknown" && (isOver || answers.length > 0))
      this.#fence = isOver ? "present" : "absent"
    if (isOver) return answers
    // What failed must not be done later.
    const isUnsent = this.#held.delete(question)
    if (isUnsent || this.#fence === "absent") this.#questions.drop(question)
    if (isUnsent || this.#fence !== "absent")
      throw new AppError("device_offline", `The device server did not answer within ${answerMs / 1000} s.`)
    return answers
  }

  /** The server has answered a request. */
  get hasAnswered(): boolean {
    return this.#fence !== "unknown"
  }

  /** Whether the server tells that it has read what was sent before; from the first question on. */
  get tellsWhatItRead(): boolean {
    return this.#fence === "present"
  }

  /** Resolves when the server has read everything that was sent before; at once when it does not tell that. */
  async untilRead(): Promise<void> {
    if (this.tellsWhatItRead) await this.#post([]).over
  }

  /** The connection is over. */
  end(reason: string): void {
    const error = new Error(reason)
    this.#endReason = reason
    this.#agreed.reject(error)
    this.#questions.end(error)
    this.#held.clear()
  }

  #post(requests: readonly ComPortRequest[]): Question {
    if (this.#endReason !== null) throw new Error(this.#endReason)
    const isFenced = this.#fence !== "absent"
    const fence: readonly ComPortRequest[] = isFenced ? [{ kind: "baudRate", value: null }] : []
    const all = [...requests, ...fence]
    const rates = countRates(all)
    const question = this.#questions.add((answers) =>
      isFenced ? countRates(answers) === rates : answers.length === all.length,
    )
    const packet = concatBytes(all.map((request) => this.#client.encodeRequest(request)))
    if (this.isSuspended) this.#held.set(question, packet)
    else this.#deps.post(packet)
    if (this.#questions.size > maxQuestions)
      this.#deps.events.onBroken("the device server does not answer any more")
    return question
  }

  #take(event: ClientEvent): void {
    const { events, post } = this.#deps
    switch (event.kind) {
      case "data":
        this.#isLosing = false
        return events.onBytes(event.bytes)
      case "agreed":
        return this.#agreed.resolve("agreed")
      case "refused":
        this.#agreed.resolve("refused")
        return events.onBroken("the device server takes no settings any more")
      case "answer":
        return this.#questions.take(event.answer)
      case "modemState":
        return events.onModemState(event.lines)
      case "lineState":
        return events.onLineState(event.state)
      case "resumed":
        for (const packet of this.#held.values()) post(packet)
        this.#held.clear()
        return events.onResumed()
      case "discarded":
        return this.#discard(event.reason)
      case "suspended":
        return
    }
  }

  /** A server that does not double ff makes sub-negotiations of data. A whole one that means nothing is the protocol's. */
  #discard(reason: Extract<ClientEvent, { kind: "discarded" }>["reason"]): void {
    if (this.#isLosing || (reason !== "too-long" && reason !== "unfinished")) return
    this.#isLosing = true
    this.#deps.events.onLost()
  }
}

function countRates(messages: readonly { readonly kind: string }[]): number {
  return messages.filter(({ kind }) => kind === "baudRate").length
}
