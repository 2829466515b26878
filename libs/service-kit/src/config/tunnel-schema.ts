import { isIP } from "node:net"
import { AppError, parseLineMacro } from "@serialcast/contract"
import { z } from "zod"
import type { TunnelConfig } from "./config.ts"
import { byteAmount, deviceAddress, duration, listenAddress, serverAddress } from "./fields.ts"

const expectedNetwork = "expected a network like 192.168.1.0/24, 10.0.0.7 or fd00::/8"
const network = z.string(expectedNetwork).refine(isNetwork, expectedNetwork)

const expectedMacro = "expected a macro like D0|R1|W0.1|R0"
const macro = z.string(expectedMacro).refine(isMacro, expectedMacro).meta({ format: "macro" })

// The journal's pages are read for it; more than that is a history, which has its own call.
const maxReplayBytes = 1024 * 1024
const expectedReplay = "expected a size of at most 1MiB, like 4KiB"

const meaning =
  "Bare bytes; telnet with settings and modem lines (RFC 2217); the end of a serial cable that TCP clients connect to; " +
  "or the other end of such a cable"
const device = deviceAddress.describe("Device, as `<gateway>/<device>`")
const idleTimeout = duration
  .nullable()
  .prefault(null)
  .describe("Ends connections in which nothing moved for this long")
const listener = {
  listen: listenAddress.describe("Where the tunnel listens"),
  allow: z
    .array(network, "expected a list of networks")
    .nullable()
    .default(null)
    .describe(
      "Networks that may connect, like `[192.168.1.0/24]`; needed where other machines can reach the listener",
    ),
}
const shared = {
  ...listener,
  device,
  idleTimeout,
  maxClients: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(32)
    .describe("How many clients may be connected at once"),
  allowHttp: z
    .boolean()
    .default(false)
    .describe(
      "Whether what begins like HTTP, TLS or STUN reaches the device; such connections are reset otherwise, because any web page can open them",
    ),
  onUnplug: z
    .enum(["keep", "close"])
    .default("keep")
    .describe(
      "What becomes of connections when the device is unplugged; one of which bytes are not written is reset in any case",
    ),
  replay: byteAmount
    .refine((bytes) => bytes <= maxReplayBytes, expectedReplay)
    .prefault("0")
    .describe("How many of the device's last bytes a client gets at first"),
}
const serialtcpEnd = {
  device: device.describe("Device that is the cable, as `<gateway>/<device>`"),
  idleTimeout,
  timeout: duration.prefault("10s").describe("How long one end waits for the other's connection"),
  syncTimeout: duration
    .nullable()
    .prefault(null)
    .describe(
      "How long the ends may take to find each other before that is called a problem; they go on trying",
    ),
  silence: duration
    .prefault("50ms")
    .describe("Silence before the end of a connection is sent: the original program loses bytes without one"),
  grace: duration
    .prefault("1s")
    .describe("How long what still comes back is delivered after one side ended its connection"),
}

const raw = z
  .strictObject({
    type: z.literal("raw").describe(meaning),
    ...shared,
    readOnly: z.boolean().default(false).describe("Whether what clients send is thrown away"),
  })
  .transform(withUnits)

const rfc2217 = z
  .strictObject({
    type: z.literal("rfc2217").describe(meaning),
    ...shared,
    control: z
      .enum(["exclusive", "shared"])
      .default("exclusive")
      .describe(
        "Whether one client at a time writes and changes settings while others watch, or everyone may",
      ),
    lines: z
      .enum(["pass", "ignore", "macro"])
      .default("pass")
      .describe(
        "What a client's changes of DTR and RTS do: reach the port, nothing, or play a macro next to the wire when they " +
          "are a reset sequence",
      ),
    macros: z
      .strictObject({
        // What esptool's classic reset does to the two transistors of ESP boards, with its pauses.
        reset: macro.default("D0R1|W0.1|R0").describe("Played for a reset"),
        bootloader: macro
          .default("D0R1|W0.1|D1R0|W0.05|D0")
          .describe("Played for a reset into the bootloader"),
      })
      .prefault({}),
    restoreSettings: z
      .boolean()
      .default(false)
      .describe("Whether the port gets its settings back when the client that changed them leaves"),
  })
  .transform(withUnits)

const serialtcpServer = z
  .strictObject({
    type: z.literal("serialtcp-server").describe(meaning),
    ...listener,
    ...serialtcpEnd,
    whenBusy: z
      .enum(["queue", "refuse"])
      .default("queue")
      .describe("What becomes of a client that connects while the cable is taken"),
  })
  .transform(inMs)

const serialtcpClient = z
  .strictObject({
    type: z.literal("serialtcp-client").describe(meaning),
    connect: serverAddress.describe("Server that connections through the cable reach"),
    ...serialtcpEnd,
  })
  .transform(inMs)

interface SharedUnits {
  readonly idleTimeout: number | null
  readonly replay: number
}

function withUnits<Tunnel extends SharedUnits>({ idleTimeout, replay, ...tunnel }: Tunnel) {
  return { ...tunnel, idleTimeoutMs: idleTimeout, replayBytes: replay }
}

interface Times {
  readonly timeout: number
  readonly syncTimeout: number | null
  readonly silence: number
  readonly grace: number
  readonly idleTimeout: number | null
}

function inMs<Tunnel extends Times>({
  timeout,
  syncTimeout,
  silence,
  grace,
  idleTimeout,
  ...tunnel
}: Tunnel) {
  return {
    ...tunnel,
    timeoutMs: timeout,
    syncTimeoutMs: syncTimeout,
    silenceMs: silence,
    graceMs: grace,
    idleTimeoutMs: idleTimeout,
  }
}

const expectedType = "expected raw, rfc2217, serialtcp-server or serialtcp-client"

/** One entry of `tunnels`. */
export const tunnelSchema: z.ZodType<TunnelConfig> = z.discriminatedUnion(
  "type",
  [raw, rfc2217, serialtcpServer, serialtcpClient],
  { error: ({ code }) => (code === "invalid_union" ? expectedType : undefined) },
)

/** An address, alone or with the number of bits that count (CIDR notation, RFC 4632 §3.1). */
function isNetwork(text: string): boolean {
  const [address = "", bits = "0", ...others] = text.split("/")
  const family = isIP(address)
  return (
    family !== 0 && others.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
  )
}

function isMacro(text: string): boolean {
  try {
    parseLineMacro(text)
    return true
  } catch (error) {
    if (error instanceof AppError) return false
    throw error
  }
}
