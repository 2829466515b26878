/**
 * A message that is encoded when somebody needs its bytes. Between services of one process nobody does: they are handed the
 * parcel, which saves encoding, decoding and checking it.
 */
export interface Parcel {
  encode(): Uint8Array
}

/** What can be published. */
export type Payload = Uint8Array | Parcel

/** The bytes that go on the wire. */
export function bytesOf(payload: Payload): Uint8Array {
  return payload instanceof Uint8Array ? payload : payload.encode()
}
