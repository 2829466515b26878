import type { Socket } from "node:net"
import { type Clock, createWakeup } from "@serialcast/primitives"
import { encodeCloseFrame, encodeFrame } from "../frames/frame-writer.ts"

/**
 * What a client may take to end its side after it was told good-bye, in milliseconds. Until then what it still sends is
 * read: the end of a connection with unread bytes would take from it what it was told last.
 */
const farewellMs = 2_000

/** A connection that speaks WebSocket: sends whole frames, at the client's pace. */
export class FrameSocket {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #drained = createWakeup()
  #isEnding = false

  /** `signal`: the socket is closed. */
  constructor(socket: Socket, { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal }) {
    this.#socket = socket
    this.#clock = clock
    this.#signal = signal
    socket.on("drain", () => this.#drained.wake())
  }

  /** Nothing more is sent: the client was told good-bye, or is gone. */
  get isEnding(): boolean {
    return this.#isEnding || this.#socket.destroyed
  }

  /** Resolves when the client has room for the next frame. One that is gone, or was told good-bye, takes everything. */
  async send(kind: "text" | "binary" | "pong", payload: Uint8Array): Promise<void> {
    if (this.isEnding || this.#socket.writableEnded) return
    this.#socket.write(encodeFrame(kind, payload))
    while (this.#socket.writableLength >= this.#socket.writableHighWaterMark && !this.#signal.aborted)
      await this.#drained.wait({ signal: this.#signal })
  }

  async sendText(text: string): Promise<void> {
    await this.send("text", new TextEncoder().encode(text))
  }

  /** Ends with a close frame, so that the last text arrives at every client. The first good-bye counts. */
  end(code: number, reason: string): void {
    this.#end(encodeCloseFrame(code, reason))
  }

  /** Answers a client's close frame as a board does, by an empty one, and ends. */
  endAnswered(): void {
    this.#end(encodeFrame("close", new Uint8Array(0)))
  }

  #end(closeFrame: Uint8Array): void {
    if (this.isEnding) return
    this.#isEnding = true
    endSocket(this.#socket, closeFrame, { clock: this.#clock })
  }
}

/**
 * Sends the last bytes and the end of this side, and reads what still comes in until the client ends its side, which it may have
 * done before it reads anything. Cuts it off when all of that takes too long: 2 s, or `timeoutMs`.
 */
export function endSocket(
  socket: Socket,
  lastBytes: Uint8Array,
  { clock, timeoutMs = farewellMs }: { readonly clock: Clock; readonly timeoutMs?: number },
): void {
  socket.end(lastBytes, () => socket.readableEnded && socket.destroy())
  // Who listens for data makes it flow, as soon as nobody pulls it any more.
  socket.on("data", () => {})
  socket.once("end", () => socket.writableFinished && socket.destroy())
  const timer = clock.startTimer(timeoutMs, () => socket.destroy())
  socket.once("close", () => timer.cancel())
}
