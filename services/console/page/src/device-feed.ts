/*
 *   service ─→ frames ─→ DeviceFeed ─→ bytes and notices ─→ terminal
 *                             │ cursor: where the next connection goes on
 *   service ←── writes ←──────┘ ←── keys, pastes, send box
 */
import type { DeviceState, Mark } from "@serialcast/contract"
import { describeVeil, type Shown, Veil } from "@serialcast/contract/veil"
import type { Clock } from "@serialcast/primitives"
import { decodeBytesFrame, decodeServerMessage } from "../../src/wire/frames.ts"
import { type Connection, type ConnectionStatus, openConnection, type SocketLike } from "./connection.ts"
import { describeGap, describeLostWrites, describeMark } from "./notice-text.ts"

/** What a terminal that was just opened shows of the past, in bytes. */
const recentBytes = 16 * 1024

export interface FeedView {
  readonly status: ConnectionStatus
  /** The service does not know the place in the stream yet: the gateway's agent does not answer. */
  readonly isAgentAway: boolean
  /** Offset of the next byte; null until the first connection. */
  readonly offset: number | null
  /** Bytes since the terminal was opened. */
  readonly receivedBytes: number
  /** Writes without an outcome so far. */
  readonly pendingWrites: number
  /** What went wrong with the last write; empty when nothing did. */
  readonly writeProblem: string
}

export interface DeviceFeedOptions {
  /** Opens `/ws` of the device from this start point. */
  readonly openSocket: (from: string) => SocketLike
  readonly onBytes: (bytes: Uint8Array) => void
  /** Something that the stream says besides its bytes. */
  readonly onNotice: (text: string) => void
  readonly onChange: (view: FeedView) => void
  readonly clock: Clock
  /** Reads nothing before `resume`. */
  readonly startsPaused: boolean
}

/** One device's stream and writes, over as many connections as it takes. */
export class DeviceFeed {
  readonly #options: DeviceFeedOptions
  readonly #connection: Connection
  /** Where the next connection starts. */
  #from = `-${recentBytes}`
  /** What the offsets of binary frames count in. */
  #epoch = ""
  /** null until the first connection. */
  #veil: Veil | null = null
  #view: FeedView = {
    status: "connecting",
    isAgentAway: false,
    offset: null,
    receivedBytes: 0,
    pendingWrites: 0,
    writeProblem: "",
  }

  constructor(options: DeviceFeedOptions) {
    this.#options = options
    this.#connection = openConnection({
      clock: options.clock,
      startsPaused: options.startsPaused,
      openSocket: () => options.openSocket(this.#from),
      onText: (text) => this.#receiveText(text),
      onBinary: (frame) => this.#receiveBytes(frame),
      onStatus: (status) => this.#changeStatus(status),
    })
  }

  write(bytes: Uint8Array): void {
    if (this.#connection.send(bytes)) this.#update({ pendingWrites: this.#view.pendingWrites + 1 })
    else this.#update({ writeProblem: "Not sent: there is no connection." })
  }

  /** Stops reading; nothing is lost, because the next connection starts at the cursor. */
  pause(): void {
    this.#connection.pause()
  }

  /** Ends a pause; without one it does nothing. */
  resume(): void {
    this.#connection.resume()
  }

  close(): void {
    this.#connection.close()
  }

  #receiveBytes(frame: Uint8Array): void {
    const decoded = decodeBytesFrame(frame)
    if (decoded === undefined) return
    const { offset, bytes } = decoded
    const next = offset + bytes.byteLength
    this.#from = `${this.#epoch}-${next}`
    this.#show(this.#veil?.bytes(offset, bytes))
    this.#update({ offset: next, receivedBytes: this.#view.receivedBytes + bytes.byteLength })
  }

  #receiveText(text: string): void {
    const message = decodeServerMessage(text)
    switch (message?.type) {
      case "open":
        this.#look(message.state)
        return this.#takePlace(message)
      case "epoch":
        return this.#takePlace(message)
      case "gap":
        this.#show(this.#veil?.gap())
        // What nobody could read stands before a mark, which tells of both.
        if (message.gap.reason === "evicted") this.#options.onNotice(describeGap(message.gap))
        return this.#moveTo(message.cursor)
      case "mark":
        this.#tellMark(message.mark, message.timeUs)
        return this.#moveTo(message.cursor)
      case "receipt":
        return this.#settleWrite("")
      case "error":
        if (message.id !== undefined) return this.#settleWrite(`Not sent: ${message.message}`)
        return this.#giveUpPlace(message.code)
      case "state":
        return this.#look(message.state)
      case undefined:
        // A newer service may say more than this page knows.
        return
    }
  }

  #tellMark(mark: Mark, timeUs: number): void {
    this.#show(this.#veil?.mark(mark))
    const isVeil = (mark.kind === "leased" || mark.kind === "released") && mark.purpose !== undefined
    if (!isVeil) this.#options.onNotice(describeMark(mark, timeUs))
  }

  #look(state: DeviceState | null): void {
    this.#veil ??= new Veil(state)
    this.#show(this.#veil.state(state))
  }

  #show(shown: readonly Shown[] = []): void {
    for (const one of shown) {
      if (one.kind === "bytes") this.#options.onBytes(one.bytes)
      else this.#options.onNotice(describeVeil(one))
    }
  }

  #takePlace({ epoch, cursor }: { readonly epoch: string | null; readonly cursor: string | null }): void {
    this.#update({ isAgentAway: cursor === null })
    if (epoch === null || cursor === null) return
    this.#epoch = epoch
    this.#moveTo(cursor)
  }

  #moveTo(cursor: string): void {
    this.#from = cursor
    // `<epoch>-<offset>`, with `.<mark>` between marks.
    this.#update({ offset: Number.parseInt(cursor.slice(cursor.indexOf("-") + 1), 10) })
  }

  /** The device's journal was replaced and knows nothing of the cursor: go on with what there is. */
  #giveUpPlace(code: string): void {
    if (code !== "bad_cursor") return
    this.#from = `-${recentBytes}`
    this.#show(this.#veil?.gap())
    this.#options.onNotice("the device has a new journal; its recent output follows")
  }

  #settleWrite(writeProblem: string): void {
    this.#update({ pendingWrites: Math.max(0, this.#view.pendingWrites - 1), writeProblem })
  }

  #changeStatus(status: ConnectionStatus): void {
    const lost = status === "waiting" || status === "paused" ? this.#view.pendingWrites : 0
    if (lost === 0) this.#update({ status })
    else this.#update({ status, pendingWrites: 0, writeProblem: describeLostWrites(lost) })
  }

  #update(change: Partial<FeedView>): void {
    this.#view = { ...this.#view, ...change }
    this.#options.onChange(this.#view)
  }
}
