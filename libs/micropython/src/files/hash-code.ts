import { createHash } from "node:crypto"
import { crc32 } from "node:zlib"
import type { FileHash } from "./board-files.ts"

/** Python that hashes what passes through its variable `d` into `h`. */
interface HashCode {
  readonly imports: string
  readonly begin: string
  /** One line. */
  readonly step: string
  /** An expression for the hash in hex. */
  readonly hex: string
}

type Algorithm = FileHash["algorithm"]

export const hashCodes: Readonly<Record<Algorithm, HashCode>> = {
  sha256: {
    imports: "try:from hashlib import sha256\nexcept ImportError:from uhashlib import sha256",
    begin: "h=sha256()",
    step: "h.update(d)",
    hex: "''.join('%02x'%x for x in h.digest())",
  },
  crc32: {
    imports: "try:from binascii import crc32\nexcept ImportError:from ubinascii import crc32",
    begin: "h=0",
    step: "h=crc32(d,h)",
    hex: "'%08x'%(h&0xffffffff)",
  },
  // Small enough that a 32-bit board needs no big integers for it: they have 31 bits.
  sum24: { imports: "", begin: "h=1", step: "for x in d:h=(h*31+x)&0xffffff", hex: "'%06x'%h" },
}

/** The same on this side. */
export interface FileHasher {
  update(bytes: Uint8Array): void
  /** Once, at the end. */
  hex(): string
}

export function createFileHasher(algorithm: Algorithm): FileHasher {
  if (algorithm === "sha256") {
    const hash = createHash("sha256")
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") }
  }
  let value = algorithm === "crc32" ? 0 : 1
  return {
    update(bytes) {
      if (algorithm === "crc32") value = crc32(bytes, value)
      else for (const byte of bytes) value = (value * 31 + byte) & 0xffffff
    },
    hex: () => value.toString(16).padStart(algorithm === "crc32" ? 8 : 6, "0"),
  }
}

export function hashOf(algorithm: Algorithm, bytes: Uint8Array): string {
  const hasher = createFileHasher(algorithm)
  hasher.update(bytes)
  return hasher.hex()
}
