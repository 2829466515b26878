// What is said on one topic between two round trips; of more, the oldest is taken for somebody else's, and said again.
const maxUnheard = 64

/**
 * Tells what a client hears on retained topics of its own that is not its own: anybody may clear or overwrite a retained
 * message by mistake, and who comes later would take that for the truth. Without I/O: it is told what is said and heard.
 */
export class OwnWords {
  /** By topic, in the order in which they were said: what was not heard yet, behind what was heard last. */
  readonly #said = new Map<string, Uint8Array[]>()

  said(topic: string, payload: Uint8Array): void {
    const said = this.#said.get(topic) ?? []
    said.push(payload)
    if (said.length > maxUnheard) said.shift()
    this.#said.set(topic, said)
  }

  /** Whether what came on `topic` was said by somebody else, or is what an earlier connection left there. */
  isForeign(topic: string, payload: Uint8Array): boolean {
    const said = this.#said.get(topic)
    const at = said?.findIndex((own) => Buffer.compare(own, payload) === 0) ?? -1
    // One that was overtaken on its way is not heard any more; the last one is what stands there.
    if (at >= 0) said?.splice(0, at)
    return at < 0
  }

  /** The connection is over: what it still carried is not heard. */
  forget(): void {
    this.#said.clear()
  }
}
