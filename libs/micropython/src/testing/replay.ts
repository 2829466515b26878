import type { Peer } from "./play.ts"

/** What was sent, and what was answered then. */
export type Exchange = readonly [sent: string, answered: string]

/** A device that answers as it was recorded, and takes nothing else. Throws at the first byte that differs. */
export function createReplay(exchanges: readonly Exchange[]): Peer & { readonly isOver: boolean } {
  const left = [...exchanges]
  let [received, said] = ["", ""]
  return {
    get isOver() {
      return left.length === 0 && received === ""
    },
    receive(bytes) {
      received += Buffer.from(bytes).toString("latin1")
      for (let [next] = left; next !== undefined && received.startsWith(next[0]); [next] = left) {
        received = received.slice(next[0].length)
        said += next[1]
        left.shift()
      }
      const [expected] = left[0] ?? [""]
      if (!expected.startsWith(received))
        throw new Error(`Recorded was ${JSON.stringify(expected)}, not ${JSON.stringify(received)}.`)
    },
    hear() {
      const bytes = Uint8Array.from(said, (character) => character.charCodeAt(0))
      said = ""
      return bytes
    },
  }
}
