/** Something that changes in the flash of a simulated board. Paths are absolute, with `/` between names. */
export type FlashChange =
  | { readonly kind: "put"; readonly path: string; readonly bytes: Uint8Array }
  | { readonly kind: "makeFolder"; readonly path: string }
  | { readonly kind: "remove"; readonly path: string }
  | { readonly kind: "rename"; readonly path: string; readonly to: string }

// Twice what a board has room for: one that says more is broken, and what it says is not kept.
const maxEntries = 1_024
const maxBytes = 4 * 1024 * 1024

/** The files of a simulated board, which outlive its process: a file is in it as it was when it was closed last. */
export class Flash {
  /** Bytes of files, null for folders; a folder comes before what is in it. */
  readonly #entries = new Map<string, Uint8Array | null>()

  apply(change: FlashChange): void {
    const { path } = change
    switch (change.kind) {
      case "put":
        this.#keep(path, change.bytes)
        break
      case "makeFolder":
        this.#keep(path, null)
        break
      case "remove":
        this.#entries.delete(path)
        break
      case "rename":
        this.#rename(path, change.to)
    }
  }

  /** What makes an empty flash this one. */
  *changes(): Generator<FlashChange> {
    for (const [path, bytes] of this.#entries)
      yield bytes === null ? { kind: "makeFolder", path } : { kind: "put", path, bytes }
  }

  #keep(path: string, bytes: Uint8Array | null): void {
    const others = [...this.#entries].filter(([other]) => other !== path)
    const usedBytes = others.reduce((sum, [, kept]) => sum + (kept?.byteLength ?? 0), 0)
    if (others.length >= maxEntries || usedBytes + (bytes?.byteLength ?? 0) > maxBytes) return
    this.#entries.set(path, bytes)
  }

  #rename(from: string, to: string): void {
    const moved = [...this.#entries].filter(([path]) => path === from || path.startsWith(`${from}/`))
    for (const [path, bytes] of moved) {
      this.#entries.delete(path)
      this.#entries.set(`${to}${path.slice(from.length)}`, bytes)
    }
  }
}

/** A byte for the kind, two for the length of the path, the path, and the bytes of the file or the other path. */
export function encodeChange(change: FlashChange): Uint8Array {
  const path = new TextEncoder().encode(change.path)
  const rest =
    change.kind === "put" ? change.bytes : new TextEncoder().encode("to" in change ? change.to : "")
  const encoded = new Uint8Array(3 + path.byteLength + rest.byteLength)
  encoded[0] = change.kind.charCodeAt(0)
  new DataView(encoded.buffer).setUint16(1, path.byteLength, true)
  encoded.set(path, 3)
  encoded.set(rest, 3 + path.byteLength)
  return encoded
}

export function decodeChange(encoded: Uint8Array): FlashChange {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength)
  const end = 3 + view.getUint16(1, true)
  const path = new TextDecoder().decode(encoded.subarray(3, end))
  const rest = encoded.slice(end)
  switch (String.fromCharCode(view.getUint8(0))) {
    case "p":
      return { kind: "put", path, bytes: rest }
    case "m":
      return { kind: "makeFolder", path }
    case "r":
      return rest.byteLength === 0
        ? { kind: "remove", path }
        : { kind: "rename", path, to: new TextDecoder().decode(rest) }
    default:
      throw new Error("a change of the flash that is none")
  }
}
