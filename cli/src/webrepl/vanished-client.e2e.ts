import { concatBytes } from "@serialcast/primitives"
import { deviceAt } from "@serialcast/serial-agent"
import { createFarNetwork, eventually, mayHaveFarNetwork } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { startTestAll } from "../testing/start-test-all.ts"
import { board } from "./testing/board.ts"

const head = "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: foo\r\n\r\n"
const logIn = concatBytes([
  new TextEncoder().encode(head),
  Uint8Array.of(0x82, 14),
  new TextEncoder().encode("a long secret\r"),
])

test.runIf(mayHaveFarNetwork())(
  "a client that loses its power gives its place back within 40 s, with bytes on their way to it or without",
  async () => {
    using network = createFarNetwork()
    const listen = { host: "0.0.0.0", port: 0 }
    const webrepl = [board({ listen }), board({ listen, device: "local/quiet" })]
    await using running = await startTestAll({}, { webrepl, devices: { quiet: deviceAt("sim:modem") } })
    const { all, pty } = running
    const states = () => all.served().boards
    const counts = () => states().map(({ clients }) => clients.length)
    for (const { endpoint } of states())
      await network.connect(Number(endpoint.replace(/^.*:/, "")), { sends: logIn })
    await eventually(() => expect(counts()).toEqual([1, 1]))
    network.pullCable()
    const sending = setInterval(() => void pty.write(Uint8Array.of(0x2e)).catch(() => {}), 1_000)
    try {
      await eventually(() => expect(counts()).toEqual([0, 0]), { timeoutMs: 40_000 })
    } finally {
      clearInterval(sending)
    }
  },
)
