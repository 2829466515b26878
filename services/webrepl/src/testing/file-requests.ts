export interface RequestFields {
  readonly type: number
  readonly flags?: number
  readonly name?: string
  readonly size?: number
}

/** The 82 bytes of a request, as both official clients make them: `<2sBBQLH64s`. */
export function request({ type, flags = 0, name = "", size = 0 }: RequestFields): Uint8Array {
  const bytes = new Uint8Array(82)
  const view = new DataView(bytes.buffer)
  const encoded = new TextEncoder().encode(name).subarray(0, 64)
  bytes.set([0x57, 0x41, type, flags])
  view.setUint32(12, size, true)
  view.setUint16(16, encoded.byteLength, true)
  bytes.set(encoded, 18)
  return bytes
}

export const putRequest = (name: string, size: number) => request({ type: 1, name, size })
export const getRequest = (name: string) => request({ type: 2, name })
export const versionRequest = () => request({ type: 3 })
export const listRequest = (name: string) => request({ type: 4, name })
export const removeRequest = (name: string) => request({ type: 5, name })
