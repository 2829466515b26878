import { Decoder, Encoder } from "cbor-x"
import { checkCborProfile } from "./cbor-profile.ts"
import { AppError } from "./errors.ts"

// cbor-x's defaults would turn large integers into floats and bytes into tag 64: this is the plain RFC 8949 profile.
const options = {
  useRecords: false,
  tagUint8Array: false,
  int64AsNumber: true,
  mapsAsObjects: true,
  variableMapSize: true,
} as const
const encoder = new Encoder(options)
const decoder = new Decoder(options)

/** Integers above 32 bits must be given as BigInt, else cbor-x writes them as floats. */
export function wireInteger(value: number): number | bigint {
  return value > 0xffff_ffff ? BigInt(value) : value
}

export function encodeCbor(value: unknown): Uint8Array {
  // cbor-x answers a slice of a pool that it reuses only for later slices, so the view stays valid.
  return encoder.encode(value)
}

/** Throws `bad_message` when `payload` is not one CBOR item of the profile. */
export function decodeCbor(payload: Uint8Array): unknown {
  checkCborProfile(payload)
  try {
    return decoder.decode(payload)
  } catch (cause) {
    throw new AppError("bad_message", "Expected one CBOR item; the payload cannot be decoded.", { cause })
  }
}
