import type { Socket } from "node:net"
import { isDeepStrictEqual } from "node:util"
import { AppError, type PortSettings } from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import { pieceBytes, ServerLink } from "../device-server/server-link.ts"
import type { OpenPort, PortListener } from "../port-driver.ts"
import { shareDrain } from "../share-drain.ts"

export interface TcpPortOptions {
  /** Those of the device server. */
  readonly settings: PortSettings
  readonly listener: PortListener
  readonly clock: Clock
}

/**
 * A connection to a device server that passes bare bytes, as a port. A write is drained when the server's system has it: what
 * the server still has to send out, bare bytes cannot tell.
 */
export class TcpPort implements OpenPort {
  readonly settings: PortSettings
  readonly #link: ServerLink
  readonly #drain: () => Promise<void>

  /** Takes over a connected socket. */
  constructor(socket: Socket, { settings, listener, clock }: TcpPortOptions) {
    this.#link = new ServerLink(socket, listener, clock)
    this.settings = settings
    this.#drain = shareDrain(async () => {
      // Its turn comes after all that was written before.
      if ((await this.#link.send(new Uint8Array(0))) === "left") return
      await this.#link.untilAcknowledged()
    })
  }

  async write(bytes: Uint8Array, signal?: AbortSignal): Promise<number> {
    this.#link.checkOpen()
    for (let at = 0; at < bytes.byteLength; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes)
      // What the socket was given goes out, also when nobody waits for it any more.
      if ((await this.#link.send(piece, signal)) === "left") return at + piece.byteLength
    }
    return bytes.byteLength
  }

  async drain(): Promise<void> {
    this.#link.checkOpen()
    await this.#drain()
  }

  /** Throws `unsupported` for other settings than it was opened with: nothing on this connection can carry them. */
  async configure(settings: PortSettings): Promise<void> {
    this.#link.checkOpen()
    if (isDeepStrictEqual(settings, this.settings)) return
    throw new AppError(
      "unsupported",
      "A tcp:// port has the settings of its device server; change them there, or use rfc2217:// if it speaks that.",
    )
  }

  async signal(): Promise<void> {
    this.#link.checkOpen()
    throw new AppError("no_modem_lines", "A tcp:// port has no modem lines.")
  }

  async readLines(): Promise<null> {
    this.#link.checkOpen()
    return null
  }

  async purge(): Promise<void> {
    this.#link.checkOpen()
    this.#link.purge()
  }

  close(): Promise<void> {
    return this.#link.close()
  }
}
