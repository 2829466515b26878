import { createFarNetwork, eventually, mayHaveFarNetwork } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { systemClock } from "../clock.ts"
import { createPeerWatch } from "./peer-watch.ts"
import { readUnanswered } from "./tcp-table.ts"
import { listen } from "./testing/listen.ts"

test.runIf(mayHaveFarNetwork())(
  "a far client that loses its power with bytes on their way is told, also when it had stopped reading; who reads nothing is not",
  async () => {
    using network = createFarNetwork()
    const vanished: string[] = []
    let looks = 0
    const watch = createPeerWatch({
      clock: systemClock,
      timeoutMs: 1_000,
      readUnanswered() {
        looks += 1
        return readUnanswered()
      },
    })
    const serve = async (name: string, reads: boolean) => {
      const { port, accepted } = await listen("0.0.0.0")
      await network.connect(port, { reads })
      const socket = await accepted
      watch.watch(socket, () => vanished.push(name))
      return socket
    }
    const reader = await serve("reader", true)
    const full = await serve("full", false)
    full.write(new Uint8Array(32 * 1024 * 1024))
    // For longer than what is taken for silence.
    await eventually(() => expect(looks).toBeGreaterThan(6))
    expect([vanished, full.writableLength > 0]).toEqual([[], true])
    network.pullCable()
    reader.write("x")
    await eventually(() => expect(vanished).toContain("reader"))
    await eventually(() => expect(vanished).toContain("full"))
  },
)
