import { readFile } from "node:fs/promises"
import type { Socket } from "node:net"
import { endianness } from "node:os"

/** The system's account of all TCP sockets of this network namespace (Linux, proc(5)). */
const tables = ["/proc/net/tcp", "/proc/net/tcp6"]

/** Both ends of a connection, as the lines of the table name them. */
export type TcpEnds = string

/** The ends of a connected socket; null: it is closed. */
export function endsOf(socket: Socket): TcpEnds | null {
  const { localAddress, localPort, remoteAddress, remotePort } = socket
  if (localAddress === undefined || localPort === undefined) return null
  if (remoteAddress === undefined || remotePort === undefined) return null
  return `${writeEnd(localAddress, localPort)} ${writeEnd(remoteAddress, remotePort)}`
}

/**
 * Of the connections of which bytes are not acknowledged yet: how often these were sent again, or how many probes of a full
 * receiver went out, since its last word. null: this system has no such table.
 */
export async function readUnanswered(): Promise<ReadonlyMap<TcpEnds, number> | null> {
  const connections = await readConnections()
  return connections && new Map([...connections].map(([ends, { unanswered }]) => [ends, unanswered]))
}

/** How many bytes the peer of a connection has not acknowledged yet. null: this system does not tell. */
export async function readUnacknowledged(ends: TcpEnds): Promise<number | null> {
  const connections = await readConnections()
  return connections && (connections.get(ends)?.bytes ?? 0)
}

interface Unacknowledged {
  /** On their way to the peer. */
  readonly bytes: number
  /** How often these were sent again, or how many probes of a full receiver went out, since its last word. */
  readonly unanswered: number
}

async function readConnections(): Promise<ReadonlyMap<TcpEnds, Unacknowledged> | null> {
  const texts = await Promise.all(tables.map((table) => readFile(table, "latin1").catch(() => null)))
  if (texts.every((text) => text === null)) return null
  return new Map(texts.flatMap((text) => (text === null ? [] : parseTcpTable(text))))
}

/** The connections with unacknowledged bytes in a table's text. */
export function parseTcpTable(text: string): (readonly [TcpEnds, Unacknowledged])[] {
  return text.split("\n").flatMap((line) => {
    // Number, both ends, state, `tx_queue:rx_queue`, timer, retransmissions (hex), user, probes (decimal), …
    const [, local, remote, , queues, , sentAgain, , probes] = line.trim().split(/\s+/)
    const bytes = queues === undefined ? 0 : Number.parseInt(queues, 16)
    if (!(bytes > 0)) return []
    const unanswered = Math.max(Number.parseInt(sentAgain ?? "", 16), Number(probes)) || 0
    return [[`${local} ${remote}`, { bytes, unanswered }] as const]
  })
}

function writeEnd(address: string, port: number): string {
  const bytes = address.includes(":") ? ipv6Bytes(address) : ipv4Bytes(address)
  return `${writeWords(bytes)}:${hex(port, 4)}`
}

/** The kernel prints addresses as words of 32 bits in the order of the processor. */
function writeWords(bytes: readonly number[]): string {
  const isLittle = endianness() === "LE"
  const at = (index: number) => bytes[isLittle ? index - (index % 4) + 3 - (index % 4) : index] ?? 0
  return bytes.map((_, index) => hex(at(index), 2)).join("")
}

function ipv4Bytes(address: string): number[] {
  return address.split(".").map(Number)
}

/** As RFC 4291 §2.2 writes it; a zone does not count. */
function ipv6Bytes(address: string): number[] {
  const [before = [], after] = address
    .replace(/%.*$/, "")
    .split("::")
    .map((half) => (half === "" ? [] : half.split(":")).flatMap(groupBytes))
  if (after === undefined) return before
  return [...before, ...Array<number>(16 - before.length - after.length).fill(0), ...after]
}

function groupBytes(group: string): number[] {
  if (group.includes(".")) return ipv4Bytes(group)
  const value = Number.parseInt(group, 16)
  return [value >> 8, value & 0xff]
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0")
}
