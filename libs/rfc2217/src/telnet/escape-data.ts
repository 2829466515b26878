import { telnet } from "./telnet-codes.ts"

/**
 * The bytes as telnet data: each ff is doubled (RFC 854). Without any ff it is the same array, not a copy.
 */
export function escapeData(bytes: Uint8Array): Uint8Array {
  const first = bytes.indexOf(telnet.iac)
  if (first === -1) return bytes
  const escaped = new Uint8Array(bytes.byteLength + countIacs(bytes, first))
  escaped.set(bytes.subarray(0, first))
  let to = first
  // Index and `length`: iterators, `filter` and `byteLength` in the condition take ten times as long in V8.
  for (let at = first; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    escaped[to++] = byte
    if (byte === telnet.iac) escaped[to++] = byte
  }
  return escaped
}

function countIacs(bytes: Uint8Array, first: number): number {
  let count = 0
  for (let at = first; at < bytes.length; at++) if (bytes[at] === telnet.iac) count++
  return count
}
