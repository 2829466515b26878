import { AppError, isErrorCode, maxWriteBytes, type Receipt } from "@serialcast/contract"
import type { RememberedWrite } from "@serialcast/journal"
import { Answers } from "../turns/answers.ts"
import type { TurnQueue } from "../turns/turn-queue.ts"
import { totalPauseMs } from "./pacing.ts"
import { SlicePace } from "./slice-pace.ts"
import { createWriteTurn, nameOf, type Write, type WriteTurn, type WriteTurnDeps } from "./write-turn.ts"

// All others wait for it.
const maxPauseMs = 3_600_000
const nothing = new Uint8Array(0)

export interface WriteQueueDeps extends Omit<WriteTurnDeps, "pace"> {
  readonly turns: Pick<TurnQueue, "add" | "withdrawOne">
}

/** The writes to one device: each written once, whole, and answered. */
export class WriteQueue {
  readonly #deps: WriteQueueDeps
  readonly #answers = new Answers<Receipt>()
  readonly #pace = new SlicePace()
  /** Writes that are not over and may be taken back, by client and id. */
  readonly #pending = new Map<string, WriteTurn>()

  constructor(deps: WriteQueueDeps) {
    this.#deps = deps
    for (const write of deps.journal.writes) this.#recall(write)
  }

  /** The outcome of a write that this client submitted before, to an earlier process too. */
  find(client: string, id: string): Promise<Receipt> | undefined {
    return this.#answers.find(keyOf({ client, id }))
  }

  /**
   * Resolves when the bytes are drained to the port. A write whose client has one of the same id is that one. Throws as
   * `TurnQueue.add` refuses, `too_large`, `cancelled` or `aborted`; each refusal is also a mark in the `tx` stream.
   */
  submit(write: Write): Promise<Receipt> {
    const known = write.client === undefined ? undefined : this.find(write.client, write.id)
    if (known !== undefined) return known
    const refusal = whyNot(write, this.#deps)
    if (refusal !== null) return this.refuse(write, refusal)
    const turn = this.#accept({ ...write, bytes: withoutTheRest(write.bytes) })
    if (write.client !== undefined) this.#remember(keyOf({ client: write.client, id: write.id }), turn)
    this.#deps.turns.add(turn)
    return turn.receipt
  }

  /** Refuses a write that did not come whole: whoever sends the rest, or asks again, is told so. */
  refuse(write: Omit<Write, "bytes">, error: AppError): Promise<Receipt> {
    const turn = this.#accept({ ...write, bytes: nothing })
    turn.refuse(error)
    return turn.receipt
  }

  /** Takes a write back. False when it is over or never was. */
  cancel(client: string, id: string): boolean {
    const turn = this.#pending.get(keyOf({ client, id }))
    return turn !== undefined && this.#deps.turns.withdrawOne(turn, takenBack())
  }

  #remember(key: string, turn: WriteTurn): void {
    this.#pending.set(key, turn)
    const forget = () => {
      if (this.#pending.get(key) === turn) this.#pending.delete(key)
    }
    turn.receipt.then(forget, forget)
  }

  /** What a repeat of a write of an earlier process is answered. One that was cut gets its refusal in the `tx` stream. */
  #recall(write: RememberedWrite): void {
    const { client, id, bytes, outcome } = write
    const cut = { kind: "refused", ...nameOf(write), code: "aborted", bytes } as const
    if (outcome === null) this.#deps.journal.mark("tx", cut)
    if (client !== undefined) this.#answers.add(keyOf({ client, id }), outcomeOf(write))
  }

  #accept(write: Write): WriteTurn {
    const { client, id } = write
    const turn = createWriteTurn(write, { ...this.#deps, pace: this.#pace })
    if (client !== undefined) this.#answers.add(keyOf({ client, id }), turn.receipt)
    return turn
  }
}

/** The refusal of a write that its client does not want any more. */
export function takenBack(): AppError {
  return new AppError("cancelled", "It was taken back before its turn came.")
}

/** Bytes as they came from the network are views: those of a small part would keep all that came with them in memory. */
function withoutTheRest(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength * 4 < bytes.buffer.byteLength ? bytes.slice() : bytes
}

/** Unambiguous, because a client's name has no slash. */
function keyOf({ client, id }: { readonly client: string; readonly id: string }): string {
  return `${client}/${id}`
}

function whyNot({ bytes, ...asked }: Write, { pacing }: WriteQueueDeps): AppError | null {
  if (bytes.byteLength > maxWriteBytes) {
    return new AppError("too_large", `One write carries at most ${maxWriteBytes} bytes.`)
  }
  const { charDelayMs = pacing.charDelayMs, lineDelayMs = pacing.lineDelayMs } = asked
  if (totalPauseMs(bytes, { charDelayMs, lineDelayMs }) > maxPauseMs) {
    return new AppError("too_large", "The pauses of one write are at most an hour together.")
  }
  return null
}

function outcomeOf({ from, outcome, bytes }: RememberedWrite): Promise<Receipt> {
  if (outcome?.kind === "drained") {
    const { to, drainedUs } = outcome
    return Promise.resolve({ bytes: outcome.bytes, from, to, drainedUs })
  }
  if (outcome === null) {
    const text = `At least ${bytes} bytes were written: the agent was stopped.`
    return Promise.reject(new AppError("aborted", text))
  }
  const code = isErrorCode(outcome.code) ? outcome.code : "internal"
  return Promise.reject(
    new AppError(code, `It was refused after ${outcome.bytes} bytes, as ${outcome.code}.`),
  )
}
