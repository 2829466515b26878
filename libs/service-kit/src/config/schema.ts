import { defaultRoot, framingSchema, pacingSchema, settingsSchema } from "@serialcast/contract"
import { z } from "zod"
import type { Config, DeviceConfig } from "./config.ts"
import { byteSize, deviceAddress, duration, filePath, listenAddress, name } from "./fields.ts"
import { resourcesShape } from "./resources-schema.ts"
import { tunnelSchema } from "./tunnel-schema.ts"
import { webreplSchema } from "./webrepl-schema.ts"

const expectedJournalSize = "expected a size of at least 1MiB, like 64MiB"
const journalSize = byteSize.refine((bytes) => bytes >= 1024 * 1024, expectedJournalSize)

const expectedUrl = "expected a URL like mqtt://broker:1883"
const brokerUrl = z.string(expectedUrl).refine(isBrokerUrl, expectedUrl).meta({ format: "url" })

const expectedHost = "expected a host name without a port, like gateway.local"
const hostName = z
  .string(expectedHost)
  .regex(/^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?$/, expectedHost)
  .transform((text) => text.toLowerCase())

const expectedPort =
  "expected a path like /dev/ttyUSB0, an address like tcp://192.168.1.5:4001 or rfc2217://192.168.1.5:2217, or sim:echo, sim:sensor, sim:modem or sim:micropython"
const portPattern =
  /^(?:\/.+|COM\d+|(?:tcp|rfc2217):\/\/(?:\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+):([1-9]\d{0,4})|sim:(?:echo|sensor|modem|micropython(?:\?ring=[1-9]\d{1,4})?))$/
const maxPortNumber = 65_535

const settings = settingsSchema.shape
const device: z.ZodType<DeviceConfig> = z
  .strictObject({
    port: z
      .string(expectedPort)
      .refine((text) => Number(portPattern.exec(text)?.[1] ?? maxPortNumber) <= maxPortNumber, expectedPort)
      .regex(portPattern, expectedPort)
      .describe(
        "Path of the port (by-id links stay the same over replugs), `tcp://host:port` of a device server that passes bare " +
          "bytes, `rfc2217://host:port` of one that can be told settings and modem lines too, or a simulated device: " +
          "`sim:echo`, `sim:sensor`, `sim:modem`, `sim:micropython`",
      )
      .meta({ format: "path or url" }),
    baudRate: settings.baudRate.default(115_200).describe("Bits per second"),
    dataBits: settings.dataBits.default(8).describe("Bits of a character"),
    parity: settings.parity.default("none").describe("Parity bit"),
    stopBits: settings.stopBits.default(1).describe("Stop bits"),
    flowControl: settings.flowControl.default("none").describe("Who may hold the sender back, and how"),
    framing: framingSchema
      .nullable()
      .default(null)
      .describe(
        "How the bytes are cut into messages for the `line` topic and `encoding=lines`: `{ type: line }`, " +
          "`{ type: delimiter, delimiter: 0D0A }`, `{ type: fixed, length: 8 }`, `{ type: idle, idleMs: 20 }` or " +
          "`{ type: slip }`; `maxBytes` (4096) bounds a message",
      ),
    charDelayMs: pacingSchema.default(0).describe("Pause after each byte that is written, in milliseconds"),
    lineDelayMs: pacingSchema
      .default(0)
      .describe("Pause after each line end that is written, in milliseconds"),
    holdLimit: duration
      .nullable()
      .default(null)
      .describe(
        "A port that takes nothing for longer is opened anew, and the write it held is `aborted`; `null` lets flow control hold " +
          "it for ever",
      ),
  })
  .transform(({ holdLimit, ...device }) => ({ ...device, holdLimitMs: holdLimit }))

const restrictedAccess = z
  .strictObject({
    tokenFile: filePath
      .nullable()
      .default(null)
      .describe(
        "File that holds the access token, 20 or more letters, digits and `. _ ~ -`; every client then needs it",
      ),
    hosts: z
      .array(hostName, "expected a list of host names")
      .default([])
      .describe("Names besides `localhost` and IP addresses under which browsers may open the services"),
  })
  .transform((access) => ({ open: false, ...access }))

const openAccess = z
  .literal("open")
  .describe(
    "Everyone who reaches a listener may use it; the other `access` keys are then not allowed. `/writebytes` can then " +
      "be called by any web page that a user of the network visits: set `http.hexServer` to `false`",
  )
  .transform(() => ({ open: true, tokenFile: null, hosts: [] }))

// One message tells the state of all.
const maxTunnels = 64
// As many as a gateway has boards; each has a port.
const maxBoards = 64

/** The configuration file. Environment variables, JSON Schema and the reference page are derived from it. */
export const configSchema: z.ZodType<Omit<Config, "source">> = z.strictObject({
  gateway: name.default("local").describe("Name of this gateway, the first part of its devices' addresses"),
  broker: section({
    listen: listenAddress.prefault("127.0.0.1:1883").describe("Where the embedded broker listens for MQTT"),
    websocket: listenAddress
      .prefault("127.0.0.1:9001")
      .describe("Where the embedded broker listens for MQTT over WebSocket"),
    host: hostName
      .nullable()
      .default(null)
      .describe(
        "Name under which the other services find the embedded broker, when it is not where it listens",
      ),
    url: brokerUrl
      .nullable()
      .default(null)
      .describe(
        "A broker that runs elsewhere, used instead; of credentials it gets those in the URL and no others",
      ),
    root: name.default(defaultRoot).describe("First level of every topic"),
    clientBufferBytes: byteSize
      .prefault("12MiB")
      .describe("What one client of the embedded broker may leave unread before it is cut off"),
    dir: z
      .union([z.literal("off"), filePath.transform((folder) => ({ folder }))])
      .prefault("./data/broker")
      .describe(
        "Folder in which the embedded broker keeps retained messages over restarts; `off` has them in memory only",
      ),
    sync: duration
      .prefault("5s")
      .describe(
        "How often the disk is made to keep new retained messages: a power failure may cost as much; a killed process costs nothing",
      ),
  }).transform(({ dir, sync, ...broker }) => ({
    ...broker,
    dir: dir === "off" ? null : dir.folder,
    syncMs: sync,
  })),
  devices: z.record(name, device).default({}).describe("Devices by name"),
  discover: z
    .enum(["off", "show", "open"])
    .default("show")
    .describe("What to do with ports that are not configured: nothing, list them, or open them"),
  journal: section({
    dir: filePath.prefault("./data/journal").describe("Folder in which the devices' bytes are kept"),
    maxBytes: journalSize
      .prefault("64MiB")
      .describe("What is kept of one device, index included; the oldest goes first"),
    maxAge: duration
      .nullable()
      .prefault("30d")
      .describe("What is older is dropped; `null` keeps it while there is room"),
    sync: duration
      .prefault("5s")
      .describe(
        "How often the disk is made to keep what is new: a power failure may cost as much, and of a device that says less " +
          "than a page of 4 KB in that time, twelve times as much; a killed process costs nothing",
      ),
    stage: z
      .union([z.enum(["auto", "off"]), filePath.transform((folder) => ({ folder }))])
      .prefault("auto")
      .describe(
        "Folder in memory (tmpfs) that outlives the process, where bytes are until the disk has them: a killed process " +
          "loses none, and a disk is written to a hundredth as often. `auto` takes `/dev/shm`, but not a container's own; `off` does without",
      ),
  }).transform(({ maxAge, sync, ...journal }) => ({ ...journal, maxAgeMs: maxAge, syncMs: sync })),
  http: section({
    listen: listenAddress.prefault("127.0.0.1:8081").describe("Where the HTTP gateway listens"),
    defaultDevice: deviceAddress.nullable().default(null).describe("Device of requests that name none"),
    hexServer: z.boolean().default(true).describe("Whether `/readbytes` and `/writebytes` are served"),
  }),
  console: section({
    listen: listenAddress.prefault("127.0.0.1:8080").describe("Where the web console listens"),
  }),
  admin: section({
    listen: listenAddress
      .prefault("127.0.0.1:9090")
      .describe(
        "Where `/healthz`, `/readyz` and `/metrics` are served; where other machines can reach them, " +
          "the last two need the access token",
      ),
  }),
  tunnels: z
    .array(tunnelSchema, "expected a list of tunnels")
    .max(maxTunnels, `expected at most ${maxTunnels} tunnels`)
    .default([])
    .describe("Devices as TCP listeners, and TCP through a serial cable"),
  webrepl: z
    .array(webreplSchema, "expected a list of boards")
    .max(maxBoards, `expected at most ${maxBoards} boards`)
    .default([])
    .describe("MicroPython boards as their own WebREPL would show them"),
  resources: section(resourcesShape),
  access: z.union([openAccess, restrictedAccess]).prefault({}),
  log: section({
    level: z
      .enum(["error", "warn", "info", "debug"])
      .default("info")
      .describe("Least severity that is logged"),
  }),
})

function section<Shape extends z.ZodRawShape>(shape: Shape) {
  // The empty map is a valid input of every section, as each of its keys has a default; zod cannot see that here.
  return z.strictObject(shape).prefault({} as z.input<z.ZodObject<Shape>>)
}

function isBrokerUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  return (
    (protocol === "mqtt:" || protocol === "mqtts:") && hostname !== "" && isDecodable(username + password)
  )
}

/** Whether percent-encoded text stands for UTF-8 (RFC 3986 §2.1). */
function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
