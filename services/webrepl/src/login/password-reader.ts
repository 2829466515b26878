/** A password's bytes at most. */
export const maxPasswordBytes = 256

const cr = 0x0d
const lf = 0x0a

export interface GivenPassword {
  /** Of one that is longer than any can be, the first bytes, and one more. */
  readonly password: Uint8Array
  /** What stands behind the CR or LF in the bytes that were pushed last. */
  readonly rest: Uint8Array
}

/**
 * Collects a password until CR or LF, whatever frames it comes in: the page sends a text frame for each key, the command-line
 * client one binary frame. Every byte counts: there is no editing.
 */
export class PasswordReader {
  readonly #bytes: number[] = []

  /** null: its end has not come. */
  push(bytes: Uint8Array): GivenPassword | null {
    const end = bytes.findIndex((byte) => byte === cr || byte === lf)
    const ofPassword = end < 0 ? bytes : bytes.subarray(0, end)
    for (const byte of ofPassword.subarray(0, maxPasswordBytes + 1 - this.#bytes.length))
      this.#bytes.push(byte)
    return end < 0 ? null : { password: Uint8Array.from(this.#bytes), rest: bytes.subarray(end + 1) }
  }
}
