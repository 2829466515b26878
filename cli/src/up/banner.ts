import { type DeviceState, formatAddress, type TunnelState } from "@serialcast/contract"
import { isLoopback, type ListenAddress, maskCredentials } from "@serialcast/service-kit"
import type { ListenerState } from "@serialcast/webrepl"
import { formatSettings } from "../devices/format-settings.ts"
import { escapeControls } from "../terminal/escape-controls.ts"
import type { Paint } from "../terminal/paint.ts"
import { formatTable } from "../terminal/table.ts"

export interface Served {
  readonly version: string
  readonly gateway: string
  readonly console: ListenAddress
  readonly http: ListenAddress
  readonly resources: { readonly address: ListenAddress; readonly isSecure: boolean }
  /** null: the broker runs elsewhere, at `brokerUrl`. */
  readonly broker: {
    readonly mqtt: ListenAddress
    readonly websocket: ListenAddress
    /** First level of its topics. */
    readonly root: string
  } | null
  readonly brokerUrl: string | null
  readonly admin: ListenAddress
  /** Whether the broker answers. */
  readonly isConnected: boolean
  readonly devices: readonly DeviceState[]
  readonly tunnels: readonly TunnelState[]
  /** Served as their own WebREPL would. */
  readonly boards: readonly ListenerState[]
  readonly defaultDevice: string
  /** Requests need the access token. */
  readonly needsToken: boolean
}

/** What a person wants to know after the start: where everything is, which devices there are, what to try. */
export function formatBanner(served: Served, paint: Paint): string {
  return [
    "",
    `  ${paint("bold", "Serialcast")} ${served.version} ${paint("dim", `· gateway ${served.gateway}`)}`,
    "",
    ...indent(formatTable(addressRows(served, paint))),
    "",
    `  ${paint("bold", "Devices")}`,
    ...deviceRows(served, paint),
    "",
    ...tunnelRows(served, paint),
    ...boardRows(served, paint),
    `  ${paint("bold", "Try")}`,
    ...indent(tryLines(served)),
    "",
    `  ${paint("dim", "Ctrl-C stops it.")}`,
    "",
    "",
  ].join("\n")
}

/** One device, as the banner's list has it, for a line of its own. */
export function formatDevice(state: DeviceState, paint: Paint): string {
  const row = deviceRow(state, paint)
  return `${indent(formatTable([state.online ? [...row, "open"] : row])).join("\n")}\n`
}

function addressRows(
  { console, http, resources, broker, brokerUrl, admin }: Served,
  paint: Paint,
): string[][] {
  const link = (scheme: string, address: ListenAddress, path = "") => {
    return paint("cyan", `${scheme}://${urlHost(address)}${path}`)
  }
  const mqtt =
    broker === null
      ? [paint("cyan", maskCredentials(brokerUrl ?? "")), "running elsewhere"]
      : [link("mqtt", broker.mqtt), `${link("ws", broker.websocket)} for browsers`]
  return [
    ["Page", link("http", console, "/")],
    ["HTTP", link("http", http, "/api/v1/devices")],
    ["Resources", link(resources.isSecure ? "https" : "http", resources.address, "/api/v1/resources")],
    ["MQTT", ...mqtt],
    ["Health", link("http", admin, "/readyz"), link("http", admin, "/metrics")],
  ]
}

function deviceRows({ devices, brokerUrl, isConnected }: Served, paint: Paint): string[] {
  if (!isConnected)
    return [
      `  ${paint("yellow", `none yet: the broker ${maskCredentials(brokerUrl ?? "")} cannot be reached`)}`,
    ]
  return indent(formatTable(devices.map((state) => deviceRow(state, paint))))
}

function deviceRow(state: DeviceState, paint: Paint): string[] {
  const place = [formatAddress(state), onOneLine(state.port)]
  if (state.online) return [paint("green", "●"), ...place, formatSettings(state.settings)]
  if (!state.configured)
    return [paint("dim", "○"), ...place, paint("dim", "found, not opened: --discover open opens it")]
  return [paint("yellow", "○"), ...place, paint("yellow", onOneLine(state.problem?.message ?? "opening"))]
}

function tunnelRows({ tunnels }: Served, paint: Paint): string[] {
  if (tunnels.length === 0) return []
  return [
    `  ${paint("bold", "Tunnels")}`,
    ...indent(formatTable(tunnels.map((state) => tunnelRow(state, paint)))),
    "",
  ]
}

function tunnelRow({ type, endpoint, device, problem }: TunnelState, paint: Paint): string[] {
  const dot = problem === null ? paint("green", "●") : paint("yellow", "○")
  const row = [dot, paint("cyan", endpoint), type, device]
  return problem === null ? row : [...row, paint("yellow", onOneLine(problem.message))]
}

function boardRows({ boards }: Served, paint: Paint): string[] {
  if (boards.length === 0) return []
  return [
    `  ${paint("bold", "WebREPL")}`,
    ...indent(formatTable(boards.map((state) => boardRow(state, paint)))),
    "",
  ]
}

function boardRow({ endpoint, isSecure, device, problem }: ListenerState, paint: Paint): string[] {
  const dot = problem === null ? paint("green", "●") : paint("yellow", "○")
  const row = [dot, paint("cyan", `${isSecure ? "wss" : "ws"}://${endpoint}/`), device]
  return problem === null ? row : [...row, paint("yellow", onOneLine(problem.message))]
}

function tryLines({ console, http, broker, devices, defaultDevice, needsToken }: Served): string[] {
  const token = needsToken ? ' -H "Authorization: Bearer $TOKEN"' : ""
  const talking =
    devices.find(({ online, port }) => online && port === "sim:sensor") ??
    devices.find(({ online }) => online)
  const lines = [`open http://${urlHost(console)}/`]
  if (talking === undefined) return lines
  const reading = formatAddress(talking)
  const isThere = devices.some((state) => state.online && formatAddress(state) === defaultDevice)
  const writing = isThere ? defaultDevice : reading
  lines.push(
    `curl -N${token} "http://${urlHost(http)}/api/v1/devices/${reading}/stream?encoding=text"`,
    `curl${token} http://${urlHost(http)}/api/v1/devices/${writing}/write --data-binary "hello"`,
  )
  if (broker !== null && !needsToken) {
    lines.push(`npx serialcast attach ${writing}${brokerOption(broker.mqtt)}`)
    lines.push(`mosquitto_sub -h ${broker.mqtt.host} -p ${broker.mqtt.port} -t ${broker.root}/${reading}/rx`)
  }
  return lines
}

/** What tells the other commands where the broker is; nothing where they look by themselves. */
function brokerOption(mqtt: ListenAddress): string {
  const address = urlHost(mqtt)
  return address === "localhost:1883" ? "" : ` --broker mqtt://${address}`
}

/** The host as people type it: `localhost` for what only this machine reaches, and for every address. */
function urlHost({ host, port }: ListenAddress): string {
  const isLocal = isLoopback(host) || host === "*" || host === "0.0.0.0" || host === "::"
  return `${isLocal ? "localhost" : host.includes(":") ? `[${host}]` : host}:${port}`
}

/** Of what others than this process may have said, nothing that a terminal would obey. */
function onOneLine(text: string): string {
  return escapeControls(text).replaceAll("\n", " ")
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}
