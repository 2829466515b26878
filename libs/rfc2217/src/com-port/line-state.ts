/** What a UART says of the line (RFC 2217, section 3, NOTIFY-LINESTATE). The errors and `break` are events. */
export interface LineState {
  readonly dataReady: boolean
  readonly overrun: boolean
  readonly parity: boolean
  readonly framing: boolean
  readonly break: boolean
  /** The next byte can be given to the UART. */
  readonly holdingEmpty: boolean
  /** Everything has been sent. */
  readonly shiftEmpty: boolean
  readonly timeout: boolean
}

const bitOf = {
  dataReady: 1,
  overrun: 2,
  parity: 4,
  framing: 8,
  break: 16,
  holdingEmpty: 32,
  shiftEmpty: 64,
  timeout: 128,
} as const satisfies Record<keyof LineState, number>

/** The bits of what is true; what is absent is false. */
export function encodeLineState(state: Partial<LineState>): number {
  let bits = 0
  if (state.dataReady) bits |= bitOf.dataReady
  if (state.overrun) bits |= bitOf.overrun
  if (state.parity) bits |= bitOf.parity
  if (state.framing) bits |= bitOf.framing
  if (state.break) bits |= bitOf.break
  if (state.holdingEmpty) bits |= bitOf.holdingEmpty
  if (state.shiftEmpty) bits |= bitOf.shiftEmpty
  if (state.timeout) bits |= bitOf.timeout
  return bits
}

export function decodeLineState(bits: number): LineState {
  const has = (flag: keyof LineState) => (bits & bitOf[flag]) !== 0
  return {
    dataReady: has("dataReady"),
    overrun: has("overrun"),
    parity: has("parity"),
    framing: has("framing"),
    break: has("break"),
    holdingEmpty: has("holdingEmpty"),
    shiftEmpty: has("shiftEmpty"),
    timeout: has("timeout"),
  }
}
