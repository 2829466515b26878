import type { TopicKind } from "@serialcast/contract"

/** A message as the disk keeps it. */
export interface KeptMessage {
  readonly qos: 0 | 1 | 2
  readonly payload: Uint8Array
}

const text = (payload: string) => new TextEncoder().encode(payload)

/** What is said again on each connection, with what the disk keeps of it: that who says it is gone, or nothing. */
const formsOfTheGone: Partial<Record<TopicKind, Uint8Array | null>> = {
  // The wills of the contract's table.
  status: text('{"online":false}'),
  availability: text("offline"),
  state: null,
  tunnels: null,
}

/** Whether its publisher says it on each connection, so that nobody has to wait for the disk. */
export function isSaidAgain(kind: TopicKind | undefined): boolean {
  return kind !== undefined && formsOfTheGone[kind] !== undefined
}

export interface Retained {
  /** What kind of topic of the contract it is; undefined: a stranger's. */
  readonly kind: TopicKind | undefined
  /** undefined: nothing is retained. */
  readonly message: KeptMessage | undefined
  /** The retained will of a client that is connected. */
  readonly will: KeptMessage | undefined
}

/**
 * What the disk keeps of a topic: what it would hold if every connection broke now, for that is what the end of the broker
 * does, and nobody publishes the wills then. Services of this product say states and reports again on each connection: of
 * them nothing is kept but that they are gone. undefined: nothing.
 */
export function keptForm({ kind, message, will }: Retained): KeptMessage | undefined {
  const payload = kind === undefined ? undefined : formsOfTheGone[kind]
  if (payload !== undefined)
    return message === undefined || payload === null ? undefined : { qos: 1, payload }
  if (will === undefined) return message
  return will.payload.byteLength === 0 ? undefined : will
}
