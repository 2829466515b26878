import type { Socket } from "node:net"
import { isDeepStrictEqual } from "node:util"
import { AppError, type PortSettings } from "@serialcast/contract"
import { createDeferred, type Deferred } from "@serialcast/primitives"
import type { OpenPort, PortListener } from "./port-driver.ts"

// What the socket was given cannot be taken back, so a purge drops all but one of these.
const writeBytes = 16 * 1024

/** A connection to a device server, as a port. */
export class TcpPort implements OpenPort {
  readonly #socket: Socket
  readonly #settings: PortSettings
  readonly #listener: PortListener
  readonly #closed = createDeferred<void>()
  /** What the socket was given and the system did not take yet. */
  readonly #sending = new Set<Deferred<"sent" | "purged">>()
  #endReason: string | null = null

  /** Takes over a connected socket. */
  constructor(socket: Socket, settings: PortSettings, listener: PortListener) {
    this.#socket = socket
    this.#settings = settings
    this.#listener = listener
    socket.on("data", (bytes: Uint8Array) =>
      listener.onBytes(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
    )
    socket.once("end", () => this.#end("the device server closed the connection"))
    socket.on("error", (error) => this.#end(explainEnd(error)))
    socket.once("close", () => {
      this.#end("the connection ended")
      this.#listener.onClosed({ reason: this.#endReason ?? "" })
      this.#closed.resolve()
    })
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#checkOpen()
    for (let at = 0; at < bytes.byteLength; at += writeBytes) {
      if ((await this.#send(bytes.subarray(at, at + writeBytes))) === "purged") return
    }
  }

  async drain(): Promise<void> {
    this.#checkOpen()
    // Its turn comes after all that was written before.
    await this.#send(new Uint8Array(0))
  }

  /** Throws `unsupported` for other settings than it was opened with: nothing on this connection can carry them. */
  async configure(settings: PortSettings): Promise<void> {
    this.#checkOpen()
    if (isDeepStrictEqual(settings, this.#settings)) return
    throw new AppError(
      "unsupported",
      "A tcp:// port has the settings of its device server; change them there.",
    )
  }

  async signal(): Promise<void> {
    this.#checkOpen()
    throw new AppError("no_modem_lines", "A tcp:// port has no modem lines.")
  }

  async readLines(): Promise<null> {
    this.#checkOpen()
    return null
  }

  async purge(): Promise<void> {
    this.#checkOpen()
    for (const sent of this.#sending) sent.resolve("purged")
    this.#sending.clear()
  }

  close(): Promise<void> {
    this.#end("closed by the agent")
    return this.#closed.promise
  }

  #checkOpen(): void {
    if (this.#endReason !== null) throw new Error("the port is closed")
  }

  #send(bytes: Uint8Array): Promise<"sent" | "purged"> {
    const sent = createDeferred<"sent" | "purged">()
    this.#sending.add(sent)
    this.#socket.write(bytes, (error) => {
      // The end of the connection rejects it with the reason.
      if (error) return
      this.#sending.delete(sent)
      sent.resolve("sent")
    })
    return sent.promise
  }

  #end(reason: string): void {
    if (this.#endReason !== null) return
    this.#endReason = reason
    // What the system has is still delivered; what it does not take would hold the end up.
    if (this.#sending.size === 0) this.#socket.destroySoon()
    else this.#socket.destroy()
    for (const sent of this.#sending) sent.reject(new Error(reason))
    this.#sending.clear()
  }
}

function explainEnd(error: Error): string {
  const code = "code" in error ? error.code : undefined
  if (code === "ECONNRESET" || code === "EPIPE") return "the device server reset the connection"
  if (code === "ETIMEDOUT") return "the device server does not answer any more"
  return `the connection failed: ${error.message}`
}
