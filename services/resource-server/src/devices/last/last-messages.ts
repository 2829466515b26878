import type { Cursor } from "@serialcast/contract"
import type { MessageEvent } from "@serialcast/device-stream"

/** A whole message of a device. */
export interface LastMessage {
  /** Behind its end, as its tag names it. */
  readonly cursor: Cursor
  readonly bytes: Uint8Array
}

/** `line`: any whole message with something in it; `json`: one that is JSON. */
export type LastKind = "line" | "json"

const decoder = new TextDecoder("utf-8", { fatal: true })
/** What JSON begins with (RFC 8259 §2, §3), so that most lines are not parsed at all. */
const jsonStart = /^[ \t\r\n]*[[{"\-0-9tfn]/

/** The newest message of each kind. */
export class LastMessages {
  readonly #last: Record<LastKind, LastMessage | null> = { line: null, json: null }

  get(kind: LastKind): LastMessage | null {
    return this.#last[kind]
  }

  /** Whether it was one: messages that are cut, or have nothing in them, are none. */
  take(event: MessageEvent): boolean {
    if (event.kind !== "message" || event.isCut || event.bytes.byteLength === 0) return false
    const { cursor, bytes } = event
    this.#last.line = { cursor, bytes }
    if (isJson(bytes)) this.#last.json = { cursor, bytes }
    return true
  }
}

function isJson(bytes: Uint8Array): boolean {
  try {
    const text = decoder.decode(bytes)
    if (!jsonStart.test(text)) return false
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
