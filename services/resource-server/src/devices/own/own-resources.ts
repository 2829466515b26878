/*
 *   device ─→ lines ─→ words: the newest of each resource ─→ 10 a second ─→ store ⇄ the stores of other servers,
 *                                                                          which bring the same words
 */
import { AppError, type StartPoint } from "@serialcast/contract"
import { type DeviceClient, type MessageEvent, readMessages } from "@serialcast/device-stream"
import { type Clock, createWakeup, delay, unlessAborted } from "@serialcast/primitives"
import { entityTagOf, type Outcome, ResourceError, StoreUnavailable, type Tell } from "@serialcast/resources"
import { type Logger, type OwnResourcesConfig, RefusalLog, untilKnown } from "@serialcast/service-kit"
import { parseMethods } from "../../api/method-names.ts"
import type { BrokerStore } from "../../replica/broker-store.ts"
import { type OwnLineOptions, parseOwnLine } from "./own-line.ts"
import { type Word, Words } from "./words.ts"

/** What became of a line: done; not needed; overtaken by a newer one, here or of another server; refused; no such line at all. */
export type OwnOutcome = "done" | "same" | "replaced" | "late" | "refused" | "bad"

export interface OwnResourcesOptions extends OwnResourcesConfig {
  /** `<gateway>/<device>` */
  readonly device: string
}

export interface OwnResourcesDeps {
  readonly devices: DeviceClient
  readonly store: Pick<BrokerStore, "get" | "apply" | "whenReady">
  readonly clock: Clock
  readonly log: Logger
  readonly count: (outcome: OwnOutcome) => void
  /** Ends it. */
  readonly signal: AbortSignal
}

/** Resources that one device may have of its own. */
const maxOwnResources = 100
/** 10 changes a second of each device: a loop that prints without a pause is no load for the broker. */
const pauseMs = 100
const retryMs = 1_000
const storeMs = 60_000

/** Lets a device set resources below its own address, by lines that it prints from now on. Resolves when it was ended. */
export async function followOwnResources(
  options: OwnResourcesOptions,
  deps: OwnResourcesDeps,
): Promise<void> {
  const own = new OwnResources(options, deps)
  await Promise.all([own.listen(), own.send()])
}

class OwnResources {
  readonly #device: string
  readonly #line: OwnLineOptions
  readonly #methods: number
  readonly #deps: OwnResourcesDeps
  readonly #words = new Words()
  readonly #news = createWakeup()
  readonly #refusals: RefusalLog

  constructor({ device, prefix, methods }: OwnResourcesOptions, deps: OwnResourcesDeps) {
    this.#device = device
    this.#line = { prefix, below: `/devices/${device}` }
    this.#methods = parseMethods(methods, "methods")
    this.#deps = deps
    this.#refusals = new RefusalLog(deps.clock)
  }

  async listen(): Promise<void> {
    const { devices, clock, signal } = this.#deps
    const state = () => devices.devices.get(this.#device)
    let from: StartPoint = { kind: "now" }
    while (!signal.aborted) {
      await untilKnown(devices, this.#device, signal)
      try {
        const device = devices.device(this.#device)
        for await (const event of readMessages(device, { from, stream: "rx", state, signal, clock })) {
          if (event.kind === "message") this.#hear(event)
          if (event.cursor !== null) from = { kind: "cursor", cursor: event.cursor }
        }
      } catch (error) {
        this.#warn(String(error), "the lines of a device are read anew")
        if (error instanceof AppError && error.code === "bad_cursor") from = { kind: "now" }
        await delay(clock, retryMs, signal)
      }
    }
  }

  async send(): Promise<void> {
    const { clock, count, signal } = this.#deps
    while (!signal.aborted) {
      const word = this.#words.take()
      if (word === undefined) await this.#news.wait({ signal })
      else if (this.#isSo(word)) count("same")
      else {
        await this.#apply(word)
        await delay(clock, pauseMs, signal)
      }
    }
  }

  #hear({ bytes, cursor, isCut }: Extract<MessageEvent, { kind: "message" }>): void {
    const line = parseOwnLine(bytes, this.#line)
    if (line === undefined) return
    if (isCut) return this.#refuse("bad", "A part of the line is missing, or it is too long.")
    if (line.kind === "bad") return this.#refuse("bad", line.why)
    const added = this.#words.add({ line, cursor })
    if (added === "full") return this.#refuse("refused", "Too many resources wait to be set.")
    if (added === "replaced") this.#deps.count("replaced")
    this.#news.wake()
  }

  /** The store has it, from this device or through another server: then nothing is to be said. */
  #isSo({ line }: Word): boolean {
    const found = this.#deps.store.get(line.uri)
    if (line.kind === "remove") return found === undefined
    if (found === undefined || found.etag !== entityTagOf(line.contentType, line.value)) return false
    return found.origin !== "device" || found.methods === this.#methods
  }

  async #apply(word: Word): Promise<void> {
    const { store, clock, signal } = this.#deps
    try {
      // Neither may hold up the stop of the service.
      await unlessAborted(store.whenReady(storeMs), signal)
      const outcome = await unlessAborted(store.apply(this.#changeOf(word), signal), signal)
      if (outcome !== undefined) this.#tell(outcome)
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof StoreUnavailable) {
        // Done or not: the store refuses a word that it has.
        this.#words.putBack(word)
        await delay(clock, retryMs, signal)
      } else this.#refuse("bad", error instanceof ResourceError ? error.message : String(error))
    }
  }

  #changeOf({ line, cursor }: Word): Tell {
    const set = line.kind === "set"
    return {
      kind: "tell",
      uri: line.uri,
      contentType: set ? line.contentType : "text/plain",
      value: set ? line.value : null,
      methods: this.#methods,
      told: { of: cursor.epoch, at: cursor.offset },
      below: this.#line.below,
      most: maxOwnResources,
    }
  }

  #tell(outcome: Outcome): void {
    if (outcome.kind === "done") return this.#deps.count("done")
    switch (outcome.why) {
      case "precondition":
        return this.#deps.count("late")
      case "unknown":
        return this.#deps.count("same")
      case "full":
        return this.#refuse("refused", `There is no room: a device has ${maxOwnResources} at most.`)
      default:
        return this.#refuse("refused", "Somebody else made this resource.")
    }
  }

  /** Told sparsely: a device may print such lines without end. */
  #refuse(outcome: OwnOutcome, why: string): void {
    this.#deps.count(outcome)
    this.#warn(why, "a line about a resource was not followed")
  }

  #warn(reason: string, message: string): void {
    const told = this.#refusals.next(reason.slice(0, 40))
    if (told !== null) this.#deps.log.warn({ device: this.#device, reason, untold: told.untold }, message)
  }
}
