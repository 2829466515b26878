/**
 * The numbers of Cisco's IOS, whose SET-BAUDRATE has one byte; 9 and 11 were 14400 and 28800. ser2net has the same ones.
 */
const ciscoRates: readonly (number | undefined)[] = [
  ...Array.from({ length: 3 }, () => undefined),
  300,
  600,
  1200,
  2400,
  4800,
  9600,
  14_400,
  19_200,
  28_800,
  38_400,
  57_600,
  115_200,
  230_400,
]

const maxRate = 2 ** 32 - 1

/** How a client numbers baud rates: as RFC 2217 does, or in Cisco's way. It holds for its answers too. */
export type BaudRateStyle = "rfc2217" | "cisco"

export interface BaudRateMessage {
  readonly kind: "baudRate"
  readonly value: number | null
  readonly unknownValue?: number
}

/** Four bytes, big-endian, or one in Cisco's way. 0 stands for null, and for a rate that Cisco has no number for. */
export function encodeBaudRate(baudRate: number | null, style: BaudRateStyle): Uint8Array {
  const rate = baudRate ?? 0
  if (style === "cisco") return Uint8Array.of(Math.max(0, ciscoRates.indexOf(rate)))
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, Math.min(rate, maxRate))
  return bytes
}

/** The rate in a value of one byte or of four, of which more may follow; null when it has another size. */
export function decodeBaudRate(value: Uint8Array): BaudRateMessage | null {
  const [number] = value
  if (number === undefined) return null
  if (value.byteLength === 1) return decodeCisco(number)
  if (value.byteLength < 4) return null
  const rate = new DataView(value.buffer, value.byteOffset).getUint32(0)
  return { kind: "baudRate", value: rate === 0 ? null : rate }
}

function decodeCisco(number: number): BaudRateMessage {
  const rate = ciscoRates[number]
  if (rate !== undefined) return { kind: "baudRate", value: rate }
  return number === 0
    ? { kind: "baudRate", value: null }
    : { kind: "baudRate", value: null, unknownValue: number }
}
