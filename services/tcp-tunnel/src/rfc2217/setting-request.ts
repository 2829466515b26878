import type { PortSettings } from "@serialcast/contract"
import type { PortAnswer, PortRequest } from "@serialcast/rfc2217"

/** A request for one of the port's settings; the others are for lines. */
export type PortSettingRequest = Extract<
  PortRequest,
  { readonly kind: "baudRate" | "dataBits" | "parity" | "stopBits" | "flowControl" | "inboundFlowControl" }
>

/** The contract's limit: no port is faster, and the kernel's field for it wraps around. */
const maxBaudRate = 50_000_000

export function isPortSetting(request: PortRequest): request is PortSettingRequest {
  const { kind } = request
  return (
    kind === "baudRate" ||
    kind === "dataBits" ||
    kind === "parity" ||
    kind === "stopBits" ||
    kind === "flowControl" ||
    kind === "inboundFlowControl"
  )
}

/**
 * What a request asks to change in the port's settings; null for a question, and for what ports cannot do, which is then
 * answered as one: 1.5 stop bits, flow control by DCD, DSR or DTR, and one direction's flow control apart from the
 * other's.
 */
export function settingChange(request: PortSettingRequest): Partial<PortSettings> | null {
  if (request.value === null) return null
  switch (request.kind) {
    case "baudRate":
      return request.value <= maxBaudRate ? { baudRate: request.value } : null
    case "dataBits":
      return { dataBits: request.value }
    case "parity":
      return { parity: request.value }
    case "stopBits":
      return request.value === 1.5 ? null : { stopBits: request.value }
    case "flowControl":
      return request.value === "dcd" || request.value === "dsr" ? null : { flowControl: request.value }
    case "inboundFlowControl":
      return null
  }
}

/** The answer to a request: the value in force. */
export function settingInForce(kind: PortSettingRequest["kind"], settings: PortSettings): PortAnswer {
  switch (kind) {
    case "baudRate":
      return { kind, value: settings.baudRate }
    case "dataBits":
      return { kind, value: settings.dataBits }
    case "parity":
      return { kind, value: settings.parity }
    case "stopBits":
      return { kind, value: settings.stopBits }
    case "flowControl":
      return { kind, value: settings.flowControl }
    case "inboundFlowControl":
      return { kind, value: settings.flowControl }
  }
}
