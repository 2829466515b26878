import { FakeClock } from "@serialcast/testkit"
import type { Wire } from "../board/wire.ts"
import type { Peer } from "./play.ts"

/** A wire to a scripted board: what is waited for passes at once, by a clock of its own. */
export function createScriptedWire(peer: Peer): {
  readonly wire: Wire
  readonly clock: FakeClock
  readonly sent: number[]
} {
  const clock = new FakeClock()
  const sent: number[] = []
  const hear = () => {
    const bytes = peer.hear(clock.monotonicMs())
    return bytes.byteLength === 0 ? null : bytes
  }
  const wire: Wire = {
    async write(bytes) {
      sent.push(...bytes)
      peer.receive(bytes)
    },
    async read(waitMs) {
      const bytes = hear()
      if (bytes !== null) return bytes
      clock.advance(waitMs)
      return hear()
    },
  }
  return { wire, clock, sent }
}
