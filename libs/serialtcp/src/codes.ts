/**
 * The codes of serialtcp, as its version of 2023-12-24 and later has them. On the line a code is two bytes: the escape
 * byte, then the code. The escape byte twice is one data byte of that value; nothing else is escaped.
 */
export const escapeByte = 0x1f

/** Of a connection. */
export const codes = {
  /** Server: a TCP client is here, dial the target. */
  connect: 0x43,
  /** Client: the target was reached. */
  connected: 0x63,
  /** Client: the target was not reached. */
  failed: 0x46,
  /** Every byte from here on is data. */
  start: 0x73,
  /** The connection is over; back to synchronising. */
  disconnect: 0x44,
} as const

/** Which end of the cable: the one with the TCP listener, or the one that dials. */
export type Role = "server" | "client"

/** Codes of synchronising, by the role that sends them; each has its number in the low half. */
const syncBase = { server: 0xe0, client: 0xc0 } as const

/** The number of the code with which a server says that it begins an attempt; 1 to 3 are questions and answers. */
export const hello = 0

/** How many questions and answers there are. */
export const syncSteps = 3

/** The code of a role with number `step`, 0 to 3. A client has no 0. */
export function syncCode(role: Role, step: number): number {
  return syncBase[role] + step
}

/** The number of a synchronising code of `role`; null: it is none. */
export function syncStep(role: Role, code: number): number | null {
  const step = code - syncBase[role]
  const first = role === "server" ? hello : 1
  return step >= first && step <= syncSteps ? step : null
}

export function otherRole(role: Role): Role {
  return role === "server" ? "client" : "server"
}

/** The codes as they go on the line. */
export function encodeCodes(...sent: readonly number[]): Uint8Array {
  return Uint8Array.from(sent.flatMap((code) => [escapeByte, code]))
}
