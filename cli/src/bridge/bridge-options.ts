import type { TunnelType } from "@serialcast/contract"
import type { OptionTable } from "../command/options.ts"

/** The options of `serialcast bridge`. */
export const bridgeOptions = {
  device: {
    type: "string",
    short: "d",
    value: "port[@baud]",
    help: "Path, COM port, tcp://host:port, rfc2217://host:port or sim:echo; 115200 baud unless told",
  },
  listen: {
    type: "string",
    short: "l",
    value: "[host:]port",
    help: "Where clients connect, on 127.0.0.1 unless told; port 0: any that is free",
  },
  connect: {
    type: "string",
    value: "host:port",
    help: "The server that a serialtcp-client connects to",
  },
  protocol: {
    type: "string",
    short: "p",
    value: "name",
    help: "raw (default), rfc2217, serialtcp-server or serialtcp-client",
  },
  allow: {
    type: "string",
    value: "networks",
    help: "Who may connect, like 192.168.1.0/24,10.0.0.7; needed beyond this machine",
  },
  replay: {
    type: "string",
    value: "size",
    help: "How many of the device's last bytes a client gets at first",
  },
  "allow-http": { type: "boolean", help: "Let web browsers in, which any page can use" },
  "read-only": { type: "boolean", help: "Throw away what clients send" },
  "idle-timeout": {
    type: "string",
    value: "time",
    help: "End connections in which nothing moved for this long",
  },
  timeout: {
    type: "string",
    value: "time",
    help: "serialtcp: how long to wait for a connection (default: 10s)",
  },
  "sync-timeout": {
    type: "string",
    value: "time",
    help: "serialtcp: end with exit code 2 when the other end is not found in this time",
  },
  "data-bits": { type: "string", value: "bits", help: "5, 6, 7 or 8 (default)" },
  parity: { type: "string", value: "name", help: "none (default), even, odd, mark or space" },
  "stop-bits": { type: "string", value: "bits", help: "1 (default) or 2" },
  "flow-control": { type: "string", value: "name", help: "none (default), hardware or software" },
} as const satisfies OptionTable

const listener = ["listen", "allow", "idle-timeout"] as const
const cable = ["timeout", "sync-timeout"] as const

/** Which of the options that are a tunnel's each kind of tunnel takes. */
export const optionsByProtocol = {
  raw: [...listener, "replay", "read-only", "allow-http"],
  rfc2217: [...listener, "replay", "allow-http"],
  "serialtcp-server": [...listener, ...cable],
  "serialtcp-client": ["connect", "idle-timeout", ...cable],
} as const satisfies Record<TunnelType, readonly (keyof typeof bridgeOptions)[]>
