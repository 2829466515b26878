import type { LeaseOutcome } from "./lease-call.ts"
import type { Mark } from "./mark.ts"
import type { DeviceState, LeaseInForce } from "./state.ts"

/** What of a stream a terminal is to show: bytes, or a line of its own. */
export type Shown =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** A program talks with the device from here on. */
  | { readonly kind: "drawn"; readonly lease: VeiledLease }
  /** It is over. What follows is the last line of what was hidden: most likely a prompt. */
  | { readonly kind: "lifted"; readonly lease: VeiledLease; readonly reason: LiftReason }

/**
 * What a terminal hides begins or ends, in words, on one line. They are the holder's own: whatever else a terminal would obey
 * is still in them.
 */
export function describeVeil(shown: Exclude<Shown, { readonly kind: "bytes" }>): string {
  const { holder, purpose } = shown.lease
  const words = `${holder}: ${purpose}`.replaceAll(/[\r\n\u2028\u2029]+/g, " ")
  if (shown.kind === "drawn") return `${words} …`
  return `${words}, ${shown.reason === "released" ? "done" : shown.reason}`
}

export type VeiledLease = LeaseInForce & { readonly purpose: string }

/**
 * `closed`: the port was, or bytes are missing; whether the program goes on is not known. `over`: it does not, and how it
 * ended is not known.
 */
export type LiftReason = Extract<Mark, { kind: "released" }>["reason"] | LeaseOutcome | "closed" | "over"

const lineFeed = 10
/** A prompt is shorter; of a longer line its end is worth nothing. */
const maxLastLineBytes = 256

/**
 * Hides from people what a device says to programs: from a lease with a purpose until its release, and no further than the
 * port stays open. The bytes stand in the journal all the same; this is for terminals alone.
 *
 *   leased {purpose} ─→ drawn ─ bytes are hidden ─→ released, closed, opened or a gap ─→ lifted, last line shown
 */
export class Veil {
  #lease: VeiledLease | null = null
  /** In force before the reading began, as a state tells: its mark may be among what is read, or not. */
  #earlier: VeiledLease | null
  #isOnWordOfState = false
  /** null: it is too long. */
  #lastLine: Uint8Array | null = noBytes

  /** `state`: of the device, when the reading begins. */
  constructor(state: Pick<DeviceState, "lease" | "openedAt"> | null) {
    this.#earlier = inForceSinceOpening(state)
  }

  /** A newer state of the device. What was hidden on the word of an older one is shown when no lease is in force. */
  state(state: Pick<DeviceState, "lease" | "openedAt"> | null): Shown[] {
    if (inForceSinceOpening(state) !== null) return []
    this.#earlier = null
    return this.#isOnWordOfState ? this.#lift("over") : []
  }

  /** Of bytes from `offset` on. */
  bytes(offset: number, bytes: Uint8Array): Shown[] {
    const drawn = this.#drawEarlier(offset + bytes.byteLength)
    if (drawn === null) return this.#show(bytes)
    const before = Math.max(0, (drawn.from ?? 0) - offset)
    const shown: Shown[] = [...show(bytes.subarray(0, before)), { kind: "drawn", lease: drawn }]
    return [...shown, ...this.#show(bytes.subarray(before))]
  }

  mark(mark: Mark): Shown[] {
    if (mark.kind === "leased") {
      const { holder, purpose } = mark
      return purpose === undefined ? [] : [...this.#lift("closed"), ...this.#draw({ holder, purpose })]
    }
    if (mark.kind === "released") return this.#lift(mark.outcome ?? mark.reason)
    return mark.kind === "opened" || mark.kind === "closed" ? this.#lift("closed") : []
  }

  /** Bytes are missing, and perhaps the end of what was hidden with them. */
  gap(): Shown[] {
    return this.#lift("closed")
  }

  #show(bytes: Uint8Array): Shown[] {
    if (this.#lease === null) return show(bytes)
    this.#keepLastLine(bytes)
    return []
  }

  #keepLastLine(bytes: Uint8Array): void {
    const from = bytes.lastIndexOf(lineFeed) + 1
    const kept = from === 0 ? this.#lastLine : noBytes
    const length = (kept?.byteLength ?? 0) + bytes.byteLength - from
    const isTooLong = kept === null || length > maxLastLineBytes
    this.#lastLine = isTooLong ? null : Uint8Array.of(...kept, ...bytes.subarray(from))
  }

  #drawEarlier(endOffset: number): VeiledLease | null {
    const earlier = this.#earlier
    if (earlier === null || this.#lease !== null || (earlier.from ?? 0) >= endOffset) return null
    this.#draw(earlier)
    this.#isOnWordOfState = true
    return earlier
  }

  #draw(lease: VeiledLease): Shown[] {
    this.#earlier = null
    this.#lease = lease
    return [{ kind: "drawn", lease }]
  }

  #lift(reason: LiftReason): Shown[] {
    const [lease, lastLine] = [this.#lease, this.#lastLine]
    this.#lease = null
    this.#isOnWordOfState = false
    this.#lastLine = noBytes
    return lease === null ? [] : [{ kind: "lifted", lease, reason }, ...show(lastLine ?? noBytes)]
  }
}

const noBytes = new Uint8Array(0)

function show(bytes: Uint8Array): Shown[] {
  return bytes.byteLength === 0 ? [] : [{ kind: "bytes", bytes }]
}

function inForceSinceOpening(state: Pick<DeviceState, "lease" | "openedAt"> | null): VeiledLease | null {
  const lease = state?.lease ?? null
  if (lease?.purpose === undefined || (state?.openedAt ?? 0) > (lease.from ?? 0)) return null
  return { ...lease, purpose: lease.purpose }
}
