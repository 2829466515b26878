import type { Choices } from "./choices.ts"

/** What one connection sends. */
export interface Conversation {
  readonly port: number
  readonly inputs: readonly Uint8Array[]
}

/** One of the gateway's ways in, and what it is sent. */
export interface Surface {
  readonly name: string
  next(choices: Choices): Conversation
}

const utf8 = new TextEncoder()

export function encodeText(text: string): Uint8Array {
  return utf8.encode(text)
}

/** Of a string's characters their lowest eight bits: for what is not UTF-8. */
export function encodeLatin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

/** So many as `make` is called, a few more often than many. */
export function several<T>(choices: Choices, most: number, make: () => T): T[] {
  return Array.from({ length: 1 + choices.below(most) }, make)
}
