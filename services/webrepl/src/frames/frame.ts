/** RFC 6455 §5.2. */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** Codes of close frames (RFC 6455 §7.4.1). */
export const closeCodes = {
  /** All is done. */
  normal: 1000,
  /** The service stops. */
  goingAway: 1001,
  /** The client broke the rules of RFC 6455. */
  protocolError: 1002,
  /** The client may not, or may not go on: wrong password, place taken, out of time. */
  policy: 1008,
  /** A frame of 64 KiB or more. */
  tooLarge: 1009,
  /** Something failed here. */
  failed: 1011,
} as const

/** A control frame's payload (RFC 6455 §5.5). */
export const maxControlBytes = 125

/** What came in. */
export type FrameEvent =
  /** A piece of a text or binary message; borders of frames are not told. The bytes stay as they are. */
  | { readonly kind: "text" | "binary"; readonly bytes: Uint8Array }
  | { readonly kind: "ping"; readonly payload: Uint8Array }
  /** `code`: null when the frame has none. */
  | { readonly kind: "close"; readonly code: number | null }
  /** The rules were broken: nothing that follows has a meaning. `code`: to close with. */
  | { readonly kind: "violation"; readonly code: number; readonly message: string }
