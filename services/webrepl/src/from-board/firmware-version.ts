import type { Version } from "../file-channel/file-server.ts"

/** Of a banner that is cut, this much may have come: `MicroPython v1.29.0-preview.123.g0123456789` is shorter. */
const keptCharacters = 64

const banner = /\bMicroPython v?(\d{1,3}\.\d{1,3}(?:\.\d{1,3})?)(?=[^\d.])/g

/**
 * What is known of a board's firmware without asking: what it told whoever had it, and its banner, `MicroPython v1.29.0 on
 * 2026-08-01; …`, which comes when it starts and when somebody leaves the raw REPL.
 */
export class FirmwareVersion {
  #tail = ""
  #version: Version | null = null

  /** The last one that was heard of. */
  get version(): Version | null {
    return this.#version
  }

  /** `version`: like `1.29.0`; anything else is no news. */
  learn(version: string): void {
    const [, ...numbers] = /^(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?(?!\d)/.exec(version) ?? []
    if (numbers.length === 0) return
    const [major = 0, minor = 0, micro = 0] = numbers.map((number) => Number(number ?? 0))
    // Each has one byte in the answer.
    if (Math.max(major, minor, micro) < 256) this.#version = [major, minor, micro]
  }

  /** What the board says, in pieces as they come. */
  hear(bytes: Uint8Array): void {
    const text = this.#tail + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")
    for (const [, version = ""] of text.matchAll(banner)) this.learn(version)
    this.#tail = text.slice(-keptCharacters)
  }
}
