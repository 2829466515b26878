/*
 *   kept bytes ─→ messages ─→ the newest of each kind ←─ messages ←─ live bytes
 *                                └─ news ─→ whoever waits
 */
import { type Cursor, type StartPoint, toAppError } from "@serialcast/contract"
import { type Device, type DeviceClient, readMessages } from "@serialcast/device-stream"
import { type Clock, createDeferred, createWakeup, type MonotonicMs, msSince } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"
import { type LastKind, type LastMessage, LastMessages } from "./last-messages.ts"

/** So far back the newest message is looked for, in bytes. */
const lookBackBytes = 64 * 1024

export interface FollowerOptions {
  /** `<gateway>/<device>` */
  readonly address: string
  readonly devices: DeviceClient
  readonly clock: Clock
  readonly log: Logger
}

/** Knows the newest messages of one device, from before it began too, until it is stopped. */
export class Follower {
  readonly #options: FollowerOptions
  readonly #messages = new LastMessages()
  readonly #stopping = new AbortController()
  readonly #read = createDeferred<void>()
  #askedMs: MonotonicMs
  #isOver = false
  /** How many wait for news. */
  waiting = 0
  /** Wakes when there is a message, and when there will be no more. */
  readonly news = createWakeup()
  /** Resolves when it does not follow any more. Never rejects. */
  readonly over: Promise<void>

  constructor(options: FollowerOptions) {
    this.#options = options
    this.#askedMs = options.clock.monotonicMs()
    // Whoever asks is told; nobody may.
    this.#read.promise.catch(() => {})
    this.over = this.#follow()
  }

  /** Resolves when what is kept was looked at. Rejects with `device_offline` and others when it cannot be had. */
  get ready(): Promise<void> {
    return this.#read.promise
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** How long nobody has asked, in milliseconds. */
  get unaskedMs(): number {
    return this.waiting > 0 ? 0 : msSince(this.#options.clock, this.#askedMs)
  }

  /** Somebody asks. */
  touch(): void {
    this.#askedMs = this.#options.clock.monotonicMs()
  }

  last(kind: LastKind): LastMessage | null {
    return this.#messages.get(kind)
  }

  stop(): void {
    this.#stopping.abort()
  }

  async #follow(): Promise<void> {
    const { address, devices, log } = this.#options
    try {
      const cursor = await this.#readKept()
      this.#read.resolve()
      // A message that goes on over this place is whole: its begin is looked for before it.
      if (cursor !== null) await this.#take(devices.device(address), { kind: "cursor", cursor })
    } catch (error) {
      this.#read.reject(toAppError(error))
      log.debug({ device: address, reason: String(error) }, "a device is not followed any more")
    } finally {
      this.#isOver = true
      this.#read.resolve()
      this.news.wake()
    }
  }

  /** Answers where what is kept ends; null: it was stopped before. */
  async #readKept(): Promise<Cursor | null> {
    const device = this.#options.devices.device(this.#options.address)
    const kept: Pick<Device, "read"> = {
      read: ({ from = { kind: "now" }, ...options }) => device.history({ ...options, from }),
    }
    return await this.#take(kept, { kind: "last", bytes: lookBackBytes })
  }

  /** Answers where it ended. */
  async #take(device: Pick<Device, "read">, from: StartPoint): Promise<Cursor | null> {
    const { address, devices, clock } = this.#options
    const state = () => devices.devices.get(address)
    const { signal } = this.#stopping
    let cursor: Cursor | null = null
    for await (const event of readMessages(device, { from, stream: "rx", state, signal, clock })) {
      cursor = event.cursor ?? cursor
      if (this.#messages.take(event)) this.news.wake()
    }
    return cursor
  }
}
