/*
 *   server ─→ link ─→ conversation ─→ data ─→ listener
 *                             ─→ lines
 *   server ←─ link ←─ data in pieces, unless suspended ←─ write()
 *                  ←─ conversation ←─ settings, lines, purge, "have you read that?"
 */
import type { Socket } from "node:net"
import { AppError, type ModemLines, type PortSettings, type SettingsInForce } from "@serialcast/contract"
import { type Clock, createDeferred, type Deferred, unlessAborted } from "@serialcast/primitives"
import type { ComPortAnswer, ComPortRequest } from "@serialcast/rfc2217"
import { defaultSettings } from "../default-settings.ts"
import { type LinkListener, pieceBytes, ServerLink } from "../device-server/server-link.ts"
import type { LineChange, OpenPort, PortListener } from "../port-driver.ts"
import { formatRefusal, noteRefusals, type Refusal } from "../refusal.ts"
import { settingsInForce } from "../settings-in-force.ts"
import { shareDrain } from "../share-drain.ts"
import { Rfc2217Conversation } from "./rfc2217-conversation.ts"
import { lineQuestions, Rfc2217Lines } from "./rfc2217-lines.ts"
import { refusalsIn, settingRequests } from "./rfc2217-settings.ts"

// RFC 2217, SET-LINESTATE-MASK: overruns of the UART.
const overrunMask = 2

export interface Rfc2217PortDeps {
  /** For sentences. */
  readonly url: string
  readonly clock: Clock
  readonly listener: PortListener
  /** Told a sentence for the log. */
  readonly onNote: (note: string) => void
}

/**
 * A port behind a device server that speaks RFC 2217. A write is drained when the server has read it all, which is as much
 * as RFC 2217 can tell: what it still has in its own buffers it does not say.
 */
export class Rfc2217Port implements OpenPort {
  readonly #link: ServerLink
  readonly #conversation: Rfc2217Conversation
  readonly #lines = new Rfc2217Lines()
  readonly #url: string
  readonly #onNote: (note: string) => void
  readonly #drain: () => Promise<void>
  /** As the server was asked for them; null while the port opens. */
  #wanted: PortSettings | null = null
  /** Of use once `open` is done, like all of it. */
  #inForce: SettingsInForce = defaultSettings
  /** The write that waits for the server to resume. */
  #room: Deferred<"room" | "stop"> | null = null

  /** Takes over a connected socket. Of use once `open` is done. */
  constructor(socket: Socket, { url, clock, listener, onNote }: Rfc2217PortDeps) {
    this.#url = url
    this.#onNote = onNote
    this.#conversation = new Rfc2217Conversation({
      clock,
      post: (bytes) => this.#link.post(bytes),
      events: {
        onBytes: (bytes) => listener.onBytes(bytes),
        onModemState: (lines) => this.#lines.driven(lines),
        // ser2net 4.3 answers the mask as if it told a state: by the end of the opening it has.
        onLineState: ({ overrun }) => (overrun && this.#wanted !== null ? listener.onOverrun() : undefined),
        onLost: () => listener.onOverrun(),
        onResumed: () => this.#goOn("room"),
        onBroken: (reason) => this.#link.end(reason),
      },
    })
    const linkListener: LinkListener = {
      onBytes: (bytes) => this.#conversation.receive(bytes),
      onEnd: (reason) => this.#stop(reason),
      onClosed: (closed) => listener.onClosed(closed),
    }
    this.#link = new ServerLink(socket, linkListener, clock)
    this.#drain = shareDrain(async () => {
      // All that was written before is with the system, and what the server is asked now comes after it.
      await this.#link.send(new Uint8Array(0))
      await this.#conversation.untilRead()
    })
  }

  get settings(): SettingsInForce {
    return this.#inForce
  }

  /** The server hung up before it answered a request: what it sent are words of its own, and none of the device. */
  get wasTurnedAway(): boolean {
    return this.#link.isEnded && !this.#conversation.hasAnswered
  }

  /** Agrees on RFC 2217, and makes the settings. Throws `open_failed`, or an error that says how the connection ended. */
  async open(settings: PortSettings): Promise<void> {
    if ((await this.#conversation.open()) !== "agreed") {
      const found = `${this.#url} speaks no RFC 2217`
      throw new AppError(
        "open_failed",
        `${found}; if it passes bare bytes, use tcp:// instead of rfc2217://.`,
      )
    }
    const rateRefusal = await this.#setRate(settings)
    if (rateRefusal !== null) {
      const found = `${this.#url} does not take ${formatRefusal(rateRefusal)}`
      throw new AppError("open_failed", `${found}; set the device's baudRate to one that it takes.`)
    }
    if (!this.#conversation.tellsWhatItRead)
      this.#onNote(
        `${this.#url} does not tell its baud rate, so writes count as done before it has read them.`,
      )
    // The modem state is told without being asked for: its mask begins with all bits (RFC 2217, SET-MODEMSTATE-MASK).
    const more: readonly ComPortRequest[] = [...lineQuestions, { kind: "lineStateMask", value: overrunMask }]
    const { refusals, answers } = await this.#setOthers(settings, more)
    this.#lines.learn(answers)
    this.#made(settings, refusals)
  }

  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<number> {
    this.#link.checkOpen()
    for (let at = 0; at < bytes.byteLength; at += pieceBytes) {
      while (this.#conversation.isSuspended) if ((await this.#untilRoom(signal)) === "stop") return at
      const piece = bytes.subarray(at, at + pieceBytes)
      // What the socket was given goes out, also when nobody waits for it any more.
      const outcome = await this.#link.send(this.#conversation.encodeData(piece), signal)
      if (outcome === "left") return at + piece.byteLength
    }
    return bytes.byteLength
  }

  async drain(): Promise<void> {
    this.#link.checkOpen()
    await this.#drain()
  }

  /**
   * Makes all settings. Throws `bad_request` when the server does not take one that is to change; then, and when it does not
   * answer, it is told the former ones again. What it did not take before is noted once more.
   */
  async configure(settings: PortSettings): Promise<void> {
    this.#link.checkOpen()
    const former = this.#wanted ?? settings
    try {
      const rateRefusal = await this.#setRate(settings)
      if (rateRefusal !== null) throw refused(rateRefusal)
      const { refusals } = await this.#setOthers(settings)
      const refusal = refusals.find(({ setting }) => settings[setting] !== former[setting])
      if (refusal !== undefined) throw refused(refusal)
      this.#made(settings, refusals)
    } catch (error) {
      this.#restore(former)
      throw error
    }
  }

  async signal(change: LineChange): Promise<void> {
    this.#link.checkOpen()
    const requests = this.#lines.requestsFor(change)
    if (requests.length > 0) this.#lines.changed(change, await this.#conversation.ask(requests))
  }

  async readLines(): Promise<ModemLines | null> {
    this.#link.checkOpen()
    return this.#lines.lines
  }

  /**
   * Drops at the server too, unless it has suspended what is sent to it. Throws `device_offline` when the server does not
   * answer.
   */
  async purge(): Promise<void> {
    this.#link.checkOpen()
    this.#goOn("stop")
    this.#link.purge()
    if (!this.#conversation.isSuspended) await this.#conversation.ask([{ kind: "purge", value: "tx" }])
  }

  close(): Promise<void> {
    return this.#link.close()
  }

  async #setRate(settings: PortSettings): Promise<Refusal | null> {
    const { rate } = settingRequests(settings)
    const answers = await this.#conversation.ask([rate])
    return refusalsIn(settings, [rate], answers)[0] ?? null
  }

  async #setOthers(settings: PortSettings, more: readonly ComPortRequest[] = []): Promise<SettingsAnswer> {
    const { others } = settingRequests(settings)
    const answers = await this.#conversation.ask([...others, ...more])
    return { refusals: refusalsIn(settings, others, answers), answers }
  }

  /** Nobody waits for it: it comes after the settings that failed, and before whatever is asked next. */
  #restore(settings: PortSettings): void {
    const { rate, others } = settingRequests(settings)
    // A server that does not answer was not going to; that the port ended is told elsewhere.
    this.#conversation.ask([rate, ...others]).catch(() => undefined)
  }

  #made(wanted: PortSettings, refusals: readonly Refusal[]): void {
    this.#wanted = wanted
    this.#inForce = settingsInForce(wanted, refusals)
    if (refusals.length > 0) this.#onNote(noteRefusals(this.#url, refusals))
  }

  async #untilRoom(signal: AbortSignal | undefined): Promise<"room" | "stop"> {
    const room = createDeferred<"room" | "stop">()
    this.#room = room
    try {
      return await unlessAborted(room.promise, signal, () => "stop" as const)
    } finally {
      if (this.#room === room) this.#room = null
    }
  }

  #goOn(how: "room" | "stop"): void {
    this.#room?.resolve(how)
    this.#room = null
  }

  #stop(reason: string): void {
    this.#conversation.end(reason)
    this.#room?.reject(new Error(reason))
    this.#room = null
  }
}

interface SettingsAnswer {
  readonly refusals: readonly Refusal[]
  readonly answers: readonly ComPortAnswer[]
}

function refused(refusal: Refusal): AppError {
  return new AppError("bad_request", `The device server does not take ${formatRefusal(refusal)}.`)
}
