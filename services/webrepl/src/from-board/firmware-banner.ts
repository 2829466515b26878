import type { Version } from "../file-channel/file-server.ts"

/** Of a banner that is cut, this much may have come: `MicroPython v1.29.0-preview.123.g0123456789` is shorter. */
const keptCharacters = 64

/**
 * Finds the version of the firmware in what a board says: its banner, `MicroPython v1.29.0 on 2026-08-01; …`, which comes when
 * it starts and when somebody leaves the raw REPL.
 */
export class FirmwareBanner {
  #tail = ""
  #version: Version | null = null

  /** The last one that was seen. */
  get version(): Version | null {
    return this.#version
  }

  push(bytes: Uint8Array): void {
    const text = this.#tail + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")
    for (const [, ...numbers] of text.matchAll(
      /\bMicroPython v?(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?(?=[^\d.])/g,
    )) {
      const [major = 0, minor = 0, micro = 0] = numbers.map((number) => Number(number ?? 0))
      // Each has one byte in the answer.
      if (Math.max(major, minor, micro) < 256) this.#version = [major, minor, micro]
    }
    this.#tail = text.slice(-keptCharacters)
  }
}
