import type { SocketLike } from "./connection.ts"

/** A browser's WebSocket with its service at the other end of the test. */
export class FakeSocket extends EventTarget implements SocketLike {
  binaryType: BinaryType = "blob"
  bufferedAmount = 0
  readyState: SocketLike["readyState"] = 1
  readonly sent: unknown[] = []
  readonly from: string
  isClosed = false

  constructor(from: string) {
    super()
    this.from = from
  }

  send(frame: unknown): void {
    this.sent.push(frame)
  }

  close(): void {
    this.isClosed = true
  }

  /** The service sends a frame. */
  receive(data: unknown): void {
    this.dispatchEvent(new MessageEvent("message", { data }))
  }

  /** The connection breaks. */
  break(): void {
    this.readyState = 3
    this.dispatchEvent(new Event("close"))
  }
}
