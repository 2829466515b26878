import { escapeData } from "../telnet/escape-data.ts"
import { telnet, telnetOption } from "../telnet/telnet-codes.ts"
import { type BaudRateStyle, decodeBaudRate, encodeBaudRate } from "./baud-rate.ts"
import type { ComPortAnswer, ComPortRequest, ServerMessage } from "./com-port-message.ts"
import { decodeLineState } from "./line-state.ts"
import { decodeModemChanges, decodeModemState } from "./modem-state.ts"
import {
  controlNumber,
  controls,
  dataSizes,
  parities,
  purgeTargets,
  stopSizes,
  valueOf,
} from "./setting-numbers.ts"

// RFC 2217, section 3: the client's numbers.
const commands = {
  signature: 0,
  baudRate: 1,
  dataBits: 2,
  parity: 3,
  stopBits: 4,
  flowControl: 5,
  inboundFlowControl: 5,
  break: 5,
  dtr: 5,
  rts: 5,
  lineState: 6,
  modemState: 7,
  suspend: 8,
  resume: 9,
  lineStateMask: 10,
  modemStateMask: 11,
  purge: 12,
} as const satisfies Record<ComPortRequest["kind"], number>

/** The server's numbers are greater than the client's by this. */
const serverOffset = 100

/** A request as a whole sub-negotiation. */
export function encodeRequest(request: ComPortRequest): Uint8Array {
  return encodeCommand(commands[request.kind], encodeValue(request, "rfc2217"))
}

/** An answer as a whole sub-negotiation. */
export function encodeAnswer(answer: ComPortAnswer, style: BaudRateStyle = "rfc2217"): Uint8Array {
  return encodeCommand(serverOffset + commands[answer.kind], encodeValue(answer, style))
}

/** A notification of the server as a whole sub-negotiation, with the bits of the state. */
export function encodeNotification(kind: "modemState" | "lineState", bits: number): Uint8Array {
  return encodeCommand(serverOffset + commands[kind], Uint8Array.of(bits))
}

/** What a client asks in the body of a sub-negotiation; null when it is malformed or no command of RFC 2217. */
export function parseRequest(body: Uint8Array): ComPortRequest | null {
  const [command = -1] = body
  const value = body.subarray(1)
  switch (command) {
    case commands.lineState:
      return { kind: "lineState" }
    case commands.modemState:
      return { kind: "modemState" }
    case commands.suspend:
      return { kind: "suspend" }
    case commands.resume:
      return { kind: "resume" }
    case commands.signature:
      return parseValue(command, value)
    case commands.baudRate:
      return value.byteLength <= 4 ? parseValue(command, value) : null
    default:
      return value.byteLength === 1 ? parseValue(command, value) : null
  }
}

/**
 * What a server says in the body of a sub-negotiation; null when it is malformed or no command of RFC 2217. Values may be
 * longer than they should: sredird's are.
 */
export function parseServerMessage(body: Uint8Array): ServerMessage | null {
  const command = (body[0] ?? 0) - serverOffset
  const value = body.subarray(1)
  const bits = value[0] ?? 0
  switch (command) {
    case commands.lineState:
      return value.byteLength === 0 ? null : { kind: "lineState", state: decodeLineState(bits) }
    case commands.modemState:
      if (value.byteLength === 0) return null
      return { kind: "modemState", lines: decodeModemState(bits), changes: decodeModemChanges(bits) }
    case commands.suspend:
      return { kind: "suspend" }
    case commands.resume:
      return { kind: "resume" }
    default:
      return parseValue(command, value)
  }
}

/** Whether it is a SET-BAUDRATE in Cisco's way, of one byte. */
export function isCiscoBaudRate(body: Uint8Array): boolean {
  return body[0] === commands.baudRate && body.byteLength === 2
}

function encodeCommand(command: number, value: Uint8Array): Uint8Array {
  const escaped = escapeData(value)
  const bytes = new Uint8Array(escaped.byteLength + 6)
  bytes.set([telnet.iac, telnet.sb, telnetOption.comPort, command])
  bytes.set(escaped, 4)
  bytes.set([telnet.iac, telnet.se], escaped.byteLength + 4)
  return bytes
}

function encodeValue(message: ComPortRequest | ComPortAnswer, style: BaudRateStyle): Uint8Array {
  switch (message.kind) {
    case "signature":
      return new TextEncoder().encode(message.text)
    case "baudRate":
      return encodeBaudRate(message.value, style)
    case "dataBits":
      return Uint8Array.of(dataSizes.indexOf(message.value))
    case "parity":
      return Uint8Array.of(parities.indexOf(message.value))
    case "stopBits":
      return Uint8Array.of(stopSizes.indexOf(message.value))
    case "flowControl":
    case "inboundFlowControl":
    case "break":
    case "dtr":
    case "rts":
      return Uint8Array.of(controlNumber(message))
    case "purge":
      return Uint8Array.of(purgeTargets.indexOf(message.value))
    case "lineStateMask":
    case "modemStateMask":
      return Uint8Array.of(message.value)
    case "lineState":
    case "modemState":
    case "suspend":
    case "resume":
      return new Uint8Array(0)
  }
}

/** Values that look the same in both directions. */
function parseValue(command: number, value: Uint8Array): ComPortAnswer | null {
  if (command === commands.signature) return { kind: "signature", text: decodeText(value) }
  const [number] = value
  if (number === undefined) return null
  switch (command) {
    case commands.baudRate:
      return decodeBaudRate(value)
    case commands.dataBits:
      return { kind: "dataBits", ...valueOf(dataSizes, number) }
    case commands.parity:
      return { kind: "parity", ...valueOf(parities, number) }
    case commands.stopBits:
      return { kind: "stopBits", ...valueOf(stopSizes, number) }
    case commands.flowControl:
      return controls[number] ?? null
    case commands.lineStateMask:
      return { kind: "lineStateMask", value: number }
    case commands.modemStateMask:
      return { kind: "modemStateMask", value: number }
    case commands.purge:
      return parsePurge(number)
    default:
      return null
  }
}

function parsePurge(number: number): ComPortAnswer | null {
  const value = purgeTargets[number]
  return value === undefined ? null : { kind: "purge", value }
}

/** RFC 2217 allows any characters; bytes that are no UTF-8 become U+FFFD. */
function decodeText(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
}
