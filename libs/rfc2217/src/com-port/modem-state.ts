/** The lines that the device drives: clear to send, data set ready, ring indicator, data carrier detect. */
export interface ModemState {
  readonly cts: boolean
  readonly dsr: boolean
  readonly ri: boolean
  readonly dcd: boolean
}

// RFC 2217, section 3, NOTIFY-MODEMSTATE.
const cts = 16
const dsr = 32
const ri = 64
const dcd = 128

/** The bits of the lines that are on; an absent one is off. */
export function encodeModemState(lines: Partial<ModemState>): number {
  return (lines.cts ? cts : 0) | (lines.dsr ? dsr : 0) | (lines.ri ? ri : 0) | (lines.dcd ? dcd : 0)
}

/** The bits of what changed from one state to the next. Of the ring indicator it is only the end (TERI). */
export function encodeModemChanges(from: number, to: number): number {
  return (((from ^ to) & (cts | dsr | dcd)) | (from & ~to & ri)) >> 4
}

export function decodeModemState(bits: number): ModemState {
  return {
    cts: (bits & cts) !== 0,
    dsr: (bits & dsr) !== 0,
    ri: (bits & ri) !== 0,
    dcd: (bits & dcd) !== 0,
  }
}

/** Which lines changed since the last state that was told. */
export function decodeModemChanges(bits: number): ModemState {
  return decodeModemState(bits << 4)
}
