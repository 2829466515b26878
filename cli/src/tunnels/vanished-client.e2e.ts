import { deviceAt } from "@serialcast/serial-agent"
import { createFarNetwork, eventually, mayHaveFarNetwork } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { startTestAll } from "../testing/start-test-all.ts"
import { connectRaw, portOf, rawTunnel } from "./testing/raw-client.ts"
import { rfc2217Tunnel } from "./testing/rfc2217-tunnel.ts"

const listen = { host: "0.0.0.0", port: 0 }

test.runIf(mayHaveFarNetwork())(
  "clients that lose their power are noticed within 40 s, with bytes on their way to them or without, and control goes on",
  async () => {
    using network = createFarNetwork()
    const allow = [`${network.farHost}/32`, "127.0.0.1/32"]
    const busy = { device: "local/pty", listen, allow, maxClients: 1 }
    const quiet = { ...busy, device: "local/quiet" }
    const tunnels = [
      rawTunnel(quiet),
      rawTunnel(busy),
      rfc2217Tunnel({ ...quiet, device: "local/other" }),
      rfc2217Tunnel({ ...busy, maxClients: 2 }),
    ]
    const devices = Object.fromEntries(["quiet", "other"].map((name) => [name, deviceAt("sim:modem")]))
    await using running = await startTestAll({}, { tunnels, devices })
    const { all, pty } = running
    const counts = () => all.served().tunnels.map(({ clientCount }) => clientCount)
    for (const at of tunnels.keys()) await network.connect(portOf(all, at))
    await eventually(() => expect(counts()).toEqual([1, 1, 1, 1]))
    const next = await connectRaw(portOf(all, 3))
    const hasControl = () => all.served().tunnels[3]?.clients.map((client) => client.hasControl)
    await eventually(() => expect(hasControl()).toEqual([true, false]))
    network.pullCable()
    const sending = setInterval(() => void pty.write(Uint8Array.of(0x2e)).catch(() => {}), 1_000)
    try {
      await eventually(() => expect(counts()).toEqual([0, 0, 0, 1]), { timeoutMs: 40_000 })
      await eventually(() => expect(hasControl()).toEqual([true]))
    } finally {
      clearInterval(sending)
    }
    next.socket.destroy()
  },
)
