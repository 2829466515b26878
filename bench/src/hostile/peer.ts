import { connect, type Socket } from "node:net"
import { concatBytes, createWakeup, type Wakeup } from "@serialcast/primitives"

/** A connection of which all that came is kept. Disposing it resets it. */
export class Peer implements Disposable {
  readonly #socket: Socket
  readonly #parts: Uint8Array[] = []
  readonly #news: Wakeup = createWakeup()
  #ended: string | null = null

  constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true })
    this.#socket.on("data", (bytes: Uint8Array) => {
      this.#parts.push(bytes)
      this.#news.wake()
    })
    this.#socket.on("error", ({ message }) => {
      this.#ended = message
    })
    this.#socket.on("close", () => {
      this.#ended ??= "the gateway closed the connection"
      this.#news.wake()
    })
  }

  send(...parts: readonly Uint8Array[]): void {
    this.#socket.write(concatBytes(parts))
  }

  /** Resolves when `isThere` is true of all that has come; throws at the end of the connection or of the time. */
  async until(isThere: (received: Uint8Array) => boolean, timeoutMs: number): Promise<void> {
    const late = AbortSignal.timeout(timeoutMs)
    for (;;) {
      const received = concatBytes(this.#parts)
      if (isThere(received)) return
      const text = () => JSON.stringify(new TextDecoder("latin1").decode(received.subarray(-500)))
      if (this.#ended !== null) throw new Error(`${this.#ended}, after ${text()}`)
      if (late.aborted) throw new Error(`nothing for ${timeoutMs} ms after ${text()}`)
      await this.#news.wait({ signal: late })
    }
  }

  [Symbol.dispose](): void {
    this.#socket.resetAndDestroy()
  }
}
