import { AppError, type TunnelType, tunnelTypes } from "@serialcast/contract"
import { type Config, isLoopback, loadConfig, parseListenAddress } from "@serialcast/service-kit"
import type { OptionValues } from "../command/options.ts"
import { UsageError } from "../command/usage-error.ts"
import { type bridgeOptions, optionsByProtocol } from "./bridge-options.ts"

export type BridgeValues = OptionValues<typeof bridgeOptions>

/** The address of the one device of a bridge. */
export const bridgedDevice = "local/device"

/**
 * The configuration of one device and one tunnel that the options stand for. The configuration's schema checks them, so
 * that they take what a file takes. Throws `UsageError`, naming the options.
 */
export function bridgeConfig(values: BridgeValues): Config {
  const type = protocolOf(values)
  refuseOthers(values, type)
  const required = type === "serialtcp-client" ? "connect" : "listen"
  for (const name of ["device", required] as const)
    if (values[name] === undefined) throw new UsageError(`A ${type} bridge needs --${name}.`)
  const config = {
    discover: "off",
    devices: { device: deviceOf(values) },
    tunnels: [given({ type, device: bridgedDevice, ...tunnelOf(values) })],
  }
  try {
    return loadConfig({ values: config, env: {}, nameOf: optionName })
  } catch (cause) {
    if (!(cause instanceof AppError) || cause.code !== "bad_config") throw cause
    throw new UsageError(cause.message, { cause })
  }
}

function protocolOf({ protocol = "raw" }: BridgeValues): TunnelType {
  const type = tunnelTypes.find((name) => name === protocol)
  if (type !== undefined) return type
  const expected = tunnelTypes.join(", ")
  throw new UsageError(`--protocol: expected one of ${expected}; found ${JSON.stringify(protocol)}.`)
}

/** What another kind of bridge would take is a misunderstanding, and says so. */
function refuseOthers(values: BridgeValues, type: TunnelType): void {
  const own: readonly string[] = optionsByProtocol[type]
  for (const name of Object.values(optionsByProtocol).flat()) {
    if (values[name] === undefined || own.includes(name)) continue
    throw new UsageError(`--${name} is nothing for a ${type} bridge.`)
  }
}

function deviceOf(values: BridgeValues) {
  const [, port, baudRate] = /^(.*?)(?:@(\d+))?$/s.exec(values.device ?? "") ?? []
  return given({
    port,
    baudRate: numberIn(baudRate),
    dataBits: numberIn(values["data-bits"]),
    parity: values.parity,
    stopBits: numberIn(values["stop-bits"]),
    flowControl: values["flow-control"],
  })
}

function tunnelOf(values: BridgeValues) {
  return {
    listen: values.listen === undefined ? undefined : listenOf(values.listen, values.allow),
    connect: values.connect,
    allow: values.allow?.split(","),
    replay: values.replay,
    readOnly: values["read-only"],
    allowHttp: values["allow-http"],
    idleTimeout: values["idle-timeout"],
    timeout: values.timeout,
    syncTimeout: values["sync-timeout"],
  }
}

/** A port alone is one of this machine only. */
function listenOf(text: string, allow: string | undefined): string {
  const listen = /^\d+$/.test(text) ? `127.0.0.1:${text}` : text
  const address = parseListenAddress(listen)
  if (address === undefined || isLoopback(address.host) || allow !== undefined) return listen
  throw new UsageError(
    `--listen: other machines can reach ${listen}; name the networks that may connect, like --allow 192.168.1.0/24.`,
  )
}

/** A number where the text is one; what is none is refused with its own text. */
function numberIn(text: string | undefined): number | string | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : text
}

/** Without what was not given: it has a default. */
function given(values: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

/** `--stop-bits` for `devices.device.stopBits`: what is in a list belongs to the option that is the list. */
function optionName(path: readonly PropertyKey[]): string {
  const key = String(path.findLast((part) => typeof part === "string") ?? "")
  const option = key === "port" || key === "baudRate" ? "device" : key
  return `--${option.replaceAll(/[A-Z]/g, "-$&").toLowerCase()}`
}
