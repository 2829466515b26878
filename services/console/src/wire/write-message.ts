import { AppError, type JsonWrite, parseJsonObject, parseJsonWrite } from "@serialcast/contract"

/** One atomic write, as a client asks for it. */
export interface WriteMessage extends JsonWrite {
  /** The client's name for it, used in the answer on this socket and nowhere else. Absent: its number, from 1. */
  readonly id?: string
}

const maxIdLength = 64

/** Reads `{type: "write", id?, text | hex | base64, eol?, ttlMs?}`. Throws `bad_request` or `bad_hex` for anything else. */
export function parseWriteMessage(text: string): WriteMessage {
  const { type, id, ...write } = parseJsonObject(text, "Expected a text frame to be JSON.")
  if (type !== "write") throw new AppError("bad_request", 'type: expected "write".')
  if (id === undefined) return parseJsonWrite(write)
  if (typeof id !== "string" || id.length < 1 || id.length > maxIdLength)
    throw new AppError("bad_request", `id: expected text of 1 to ${maxIdLength} characters.`)
  return { id, ...parseJsonWrite(write) }
}
