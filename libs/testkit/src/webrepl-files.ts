import { concatBytes } from "@serialcast/primitives"
import type { WebreplClient } from "./webrepl-client.ts"

const kinds = { put: 1, get: 2 } as const
const nameBytes = 64
const contentFrameBytes = 1_024
/** `WB` and a code, least significant byte first. */
const responseBytes = 4

/** A transfer that failed: the code of the response, and which of the two it was. */
export class WebreplFileError extends Error {
  readonly code: number

  constructor(what: string, code: number) {
    super(`${what}: code ${code}`)
    this.code = code
  }
}

/** The 82 bytes `<2sBBQLH64s`; of a name no more than 64 bytes go. */
function request(type: number, name: string, size: number): Uint8Array {
  const bytes = new Uint8Array(82)
  const view = new DataView(bytes.buffer)
  const encoded = new TextEncoder().encode(name).subarray(0, nameBytes)
  bytes.set([0x57, 0x41, type])
  view.setUint32(12, size, true)
  view.setUint16(16, encoded.byteLength, true)
  bytes.set(encoded, 18)
  return bytes
}

/** Throws `WebreplFileError` unless it is 0. */
async function readResponse(client: WebreplClient, what: string): Promise<void> {
  const [w, b, low = 0, high = 0, ...rest] = await client.nextBinary()
  if (w !== 0x57 || b !== 0x42 || rest.length > 0)
    throw new Error(`${what}: no response of ${responseBytes} bytes`)
  if (low + high > 0) throw new WebreplFileError(what, low + 256 * high)
}

/** Puts a file as both official clients do: asks, waits for the first response, sends frames of 1,024 bytes, waits again. */
export async function putByWebrepl(client: WebreplClient, name: string, bytes: Uint8Array): Promise<void> {
  client.sendBinary(request(kinds.put, name, bytes.byteLength))
  await readResponse(client, "the first response to a put")
  for (let at = 0; at < bytes.byteLength; at += contentFrameBytes)
    client.sendBinary(bytes.subarray(at, at + contentFrameBytes))
  await readResponse(client, "the final response to a put")
}

/** Gets a file as both do: asks for one piece after the other, up to the empty one. */
export async function getByWebrepl(client: WebreplClient, name: string): Promise<Uint8Array> {
  client.sendBinary(request(kinds.get, name, 0))
  await readResponse(client, "the first response to a get")
  const pieces: Uint8Array[] = []
  for (;;) {
    client.sendBinary(Uint8Array.of(0))
    const [low = 0, high = 0, ...piece] = await client.nextBinary()
    if (piece.length !== low + 256 * high)
      throw new Error(`a piece of ${low + 256 * high} bytes has ${piece.length}`)
    if (piece.length === 0) break
    pieces.push(Uint8Array.from(piece))
  }
  await readResponse(client, "the final response to a get")
  return concatBytes(pieces)
}
