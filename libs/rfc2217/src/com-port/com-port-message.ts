import type { LineState } from "./line-state.ts"
import type { ModemState } from "./modem-state.ts"

/** Settings and lines of a serial port in the words of RFC 2217, by the name that messages have as `kind`. */
export interface PortValues {
  /** Bit/s, an integer from 1 to 2^32 - 1. */
  readonly baudRate: number
  readonly dataBits: 5 | 6 | 7 | 8
  readonly parity: "none" | "odd" | "even" | "mark" | "space"
  readonly stopBits: 1 | 1.5 | 2
  /** Of what the port sends, or of both directions: XON/XOFF, RTS/CTS, or as DCD or DSR says. */
  readonly flowControl: "none" | "software" | "hardware" | "dcd" | "dsr"
  /** Of what the port receives. */
  readonly inboundFlowControl: "none" | "software" | "hardware" | "dtr"
  readonly break: boolean
  readonly dtr: boolean
  readonly rts: boolean
}

export type PortSetting = keyof PortValues

/**
 * Sets one value, or with null asks for the one in force. A number that RFC 2217 does not know is such a question too,
 * because its answer is the value in force; the number is then `unknownValue`.
 */
export type SettingRequest = {
  readonly [Kind in PortSetting]: {
    readonly kind: Kind
    readonly value: PortValues[Kind] | null
    readonly unknownValue?: number
  }
}[PortSetting]

/** `rx`: what the device sent and the client has not got yet; `tx`: what the client sent and the device has not. */
export type PurgeTarget = "rx" | "tx" | "both"

/** What only the owner of the port can answer. */
export type PortRequest =
  | SettingRequest
  | { readonly kind: "purge"; readonly value: PurgeTarget }
  /** Asks for the lines as they are now (a habit of clients; RFC 2217 has it from server to client only). */
  | { readonly kind: "modemState" }
  | { readonly kind: "lineState" }

/** What a client may send (RFC 2217, section 3). */
export type ComPortRequest =
  | PortRequest
  /** The sender's own name, or with an empty text the question for the peer's. */
  | { readonly kind: "signature"; readonly text: string }
  /** Which bits of the state are told, 0 to 255; at first 255 of the modem's and 0 of the line's. */
  | { readonly kind: "modemStateMask"; readonly value: number }
  | { readonly kind: "lineStateMask"; readonly value: number }
  /** Asks the peer to send neither data nor commands until `resume`. */
  | { readonly kind: "suspend" }
  | { readonly kind: "resume" }

type SettingAnswer = {
  readonly [Kind in PortSetting]: { readonly kind: Kind; readonly value: PortValues[Kind] }
}[PortSetting]

/** The answer to a `PortRequest`: the value in force. Lines that are absent are told as off. */
export type PortAnswer =
  | SettingAnswer
  | { readonly kind: "purge"; readonly value: PurgeTarget }
  | { readonly kind: "modemState"; readonly lines: Partial<ModemState> }
  | { readonly kind: "lineState"; readonly state: Partial<LineState> }

/**
 * What a client is answered. The value is null when it is none that RFC 2217 knows: there are servers that answer a
 * question for a line with the question's own number.
 */
export type ComPortAnswer =
  | SettingRequest
  | { readonly kind: "purge"; readonly value: PurgeTarget }
  | { readonly kind: "modemStateMask"; readonly value: number }
  | { readonly kind: "lineStateMask"; readonly value: number }
  | { readonly kind: "signature"; readonly text: string }

/** What a server may send. */
export type ServerMessage =
  | ComPortAnswer
  | { readonly kind: "modemState"; readonly lines: ModemState; readonly changes: ModemState }
  | { readonly kind: "lineState"; readonly state: LineState }
  | { readonly kind: "suspend" }
  | { readonly kind: "resume" }
