/** A request's bytes: `<2sBBQLH64s`, little-endian, packed. */
export const requestBytes = 82

const typeAt = 2
const flagsAt = 3
const sizeAt = 12
const nameAt = 18

const types = { put: 1, get: 2, version: 3, list: 4, remove: 5 } as const

/** Of a request for the version. Official clients set no flag, and boards look at none. */
const extensionsFlag = 0x01

export type FileRequest =
  /** `size` bytes follow. */
  | { readonly kind: "put"; readonly name: string; readonly size: number }
  | { readonly kind: "get"; readonly name: string }
  /** `asksExtensions`: whether there are requests besides the official ones is wanted too. */
  | { readonly kind: "version"; readonly asksExtensions: boolean }
  /** The folder `name`; empty: the current one. An extension, as `remove` is. */
  | { readonly kind: "list"; readonly name: string }
  | { readonly kind: "remove"; readonly name: string }
  | { readonly kind: "unknown"; readonly type: number }

/**
 * Reads the 82 bytes of a request:
 *
 * | offset | size | field |
 * |--:|--:|---|
 * | 0 | 2 | `WA`, not looked at, as no board does |
 * | 2 | 1 | type: 1 put, 2 get, 3 version; 4 list and 5 remove are extensions |
 * | 3 | 1 | flags: of a version, 01 asks for the extensions; else not looked at |
 * | 4 | 8 | offset, not looked at |
 * | 12 | 4 | size: of a put, how many bytes follow |
 * | 16 | 2 | length of the name, not looked at |
 * | 18 | 64 | name, up to the first NUL or whole |
 */
export function parseFileRequest(bytes: Uint8Array): FileRequest {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const type = view.getUint8(typeAt)
  switch (type) {
    case types.put:
      return { kind: "put", name: nameOf(bytes), size: view.getUint32(sizeAt, true) }
    case types.get:
      return { kind: "get", name: nameOf(bytes) }
    case types.version:
      return { kind: "version", asksExtensions: (view.getUint8(flagsAt) & extensionsFlag) !== 0 }
    case types.list:
      return { kind: "list", name: nameOf(bytes) }
    case types.remove:
      return { kind: "remove", name: nameOf(bytes) }
    default:
      return { kind: "unknown", type }
  }
}

/**
 * UTF-8; what is none is taken for one character a byte, because the official page cuts each character of a name to a byte,
 * which leaves those up to U+00FF whole.
 */
function nameOf(bytes: Uint8Array): string {
  const field = bytes.subarray(nameAt, requestBytes)
  const end = field.indexOf(0)
  const name = end < 0 ? field : field.subarray(0, end)
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(name)
  } catch {
    return Array.from(name, (byte) => String.fromCharCode(byte)).join("")
  }
}
