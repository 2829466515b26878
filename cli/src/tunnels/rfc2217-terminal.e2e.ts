import { deviceAt } from "@serialcast/serial-agent"
import { eventually } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { startTestAll } from "../testing/start-test-all.ts"
import { portOf } from "./testing/raw-client.ts"
import { runInTerminal } from "./testing/rfc2217-terminal.ts"
import { rfc2217Tunnel } from "./testing/rfc2217-tunnel.ts"

const ctrlC = "\x03"
const telnetEscape = "\x1d"
const gensiotEscape = "\x1c"

/** One tunnel of the pseudo-terminal and one of a simulated modem that sends back what it gets. */
async function startTunnels() {
  const modem = { ...deviceAt("sim:modem"), baudRate: 1_000_000 }
  // So that nothing is missed, whenever it is sent.
  const replayBytes = 1024
  const tunnels = [rfc2217Tunnel({ replayBytes }), rfc2217Tunnel({ replayBytes, device: "local/modem" })]
  const running = await startTestAll({}, { tunnels, devices: { modem } })
  return {
    ...running,
    ptyPort: String(portOf(running.all, 0)),
    modemPort: String(portOf(running.all, 1)),
    settings: () => running.all.devices.devices.get("local/pty")?.settings,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
}

describe("telnet", () => {
  test("is in character mode: keys go to the device as they are typed, and only the device shows them", async () => {
    await using running = await startTunnels()
    const { pty, ptyPort } = running
    const telnet = await runInTerminal("telnet", ["127.0.0.1", ptyPort])
    await telnet.find("Escape character is '^]'.\r\n")
    await telnet.type("a")
    expect(await pty.read(1)).toEqual(Uint8Array.of(0x61))
    await telnet.type(`\r${ctrlC}\x00\x7f`)
    expect(await pty.read(4)).toEqual(Uint8Array.of(0x0d, 0x03, 0x00, 0x7f))
    await pty.write(Uint8Array.of(0x3e, 0xff, 0x3c))
    await telnet.find(">\xff<")
    expect(telnet.rest()).toBe("")
  })

  test("sends a break, and is answered when it asks whether somebody is there", async () => {
    await using running = await startTunnels()
    const telnet = await runInTerminal("telnet", ["127.0.0.1", running.modemPort])
    await telnet.find("Escape character is '^]'.\r\n")
    const command = async (text: string) => {
      await telnet.type(telnetEscape)
      await telnet.find("telnet> ")
      await telnet.type(`${text}\r`)
    }
    await command("send brk")
    await telnet.find("\x00")
    await command("send ayt")
    await telnet.find("[yes]")
    await command("quit")
    await telnet.exited
  })
})

describe("gensiot", () => {
  test("speaks COM-PORT: sets and shows settings, sends data and a break", async () => {
    await using running = await startTunnels()
    const { pty, ptyPort, modemPort, settings } = running
    const gensiot = await runInTerminal("gensiot", [`telnet(rfc2217),tcp,127.0.0.1,${ptyPort}`])
    await gensiot.type("q")
    expect(await pty.read(1)).toEqual(Uint8Array.of(0x71))
    await gensiot.type(`${gensiotEscape}s`)
    await gensiot.type("19200\n")
    await eventually(() => expect(settings()?.baudRate).toBe(19_200))
    await gensiot.type(`${gensiotEscape}2`)
    await eventually(() => expect(settings()?.stopBits).toBe(2))
    await gensiot.type(`${gensiotEscape}d`)
    await gensiot.find("Signature: Serialcast")
    await gensiot.find("Speed: 19200N82")
    await gensiot.type(`${gensiotEscape}q`)
    await gensiot.exited
    const other = await runInTerminal("gensiot", [`telnet(rfc2217),tcp,127.0.0.1,${modemPort}`])
    await other.type("x")
    await other.find("x")
    await other.type(`${gensiotEscape}b`)
    await other.find("\x00")
  })
})
