import { AppError } from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import { connectServer } from "../device-server/connect-server.ts"
import { parseServerAddress } from "../device-server/server-address.ts"
import type { PortDriver } from "../port-driver.ts"
import { HeldListener } from "./held-listener.ts"
import { Rfc2217Port } from "./rfc2217-port.ts"

// What a server says before it hangs up is a line.
const maxWordsBytes = 200

export interface Rfc2217DriverDeps {
  readonly clock: Clock
  /** Told a sentence for the log: the port is open, but not quite as it was asked for. */
  readonly onNote?: ((note: string) => void) | undefined
}

/**
 * A serial port behind a device server that can be told settings and modem lines (RFC 2217: ser2net, pySerial's server,
 * Moxa): `rfc2217://host:port`, an IPv6 address in brackets. DTR and RTS are left as the server has them: to raise them
 * resets many boards.
 */
export function createRfc2217Driver(
  url: string,
  { clock, onNote = () => {} }: Rfc2217DriverDeps,
): PortDriver {
  const address = parseServerAddress(url, "rfc2217://192.168.1.5:2217")
  return {
    async open(settings, listener) {
      const socket = await connectServer(address, clock)
      const held = new HeldListener(listener)
      const port = new Rfc2217Port(socket, { url, clock, listener: held, onNote })
      try {
        await port.open(settings)
      } catch (cause) {
        const words = port.wasTurnedAway ? wordsIn(held.bytes) : ""
        await port.close()
        if (cause instanceof AppError && cause.code === "open_failed") throw cause
        throw new AppError("open_failed", explain(url, cause, words), { cause })
      }
      held.opened()
      return port
    },
  }
}

/** What a server said before it hung up, if it is a line of text: ser2net says why. */
function wordsIn(bytes: Uint8Array): string {
  const words = new TextDecoder().decode(bytes.subarray(0, maxWordsBytes)).trim()
  return /^[\x20-\x7e]+$/.test(words) ? words : ""
}

function explain(url: string, cause: unknown, words: string): string {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const said = words === "" ? "" : ` It said: ${asSentence(words)}`
  return `${url} cannot be opened: ${asSentence(reason)}${said}`
}

function asSentence(text: string): string {
  return text.replace(/[.]?$/, ".")
}
