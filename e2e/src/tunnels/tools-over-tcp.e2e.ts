import { once } from "node:events"
import { access } from "node:fs/promises"
import { createConnection } from "node:net"
import { join } from "node:path"
import { eventually, freePort } from "@serialcast/testkit"
import { afterAll, beforeAll, expect, test } from "vitest"
import { readmeCommands } from "../readme.ts"
import { type Guide, readGuide } from "./guide.ts"
import { startInTerminal } from "./in-terminal.ts"
import { plugInEcho } from "./plugged-device.ts"
import { startTunnels } from "./start-tunnels.ts"
import { createWorkplace } from "./workplace.ts"

const device = "local/uno"
let guide: Guide
let rawPort: number

beforeAll(async () => {
  guide = await readGuide("tools-over-tcp.md")
  rawPort = await freePort()
  guide.replace("7001", String(rawPort))
  guide.replace("7002", String(await freePort()))
})

afterAll(() => guide.checkAllTaken())

test("the guide's tunnels serve pySerial, socat, minicom, telnet and pipes", async () => {
  const place = await createWorkplace()
  const gateway = await startTunnels(guide.take("Start", "yaml"), device)
  guide.replace("http://localhost:8081", gateway.httpUrl)

  expect(await place.python(guide.take("pySerial", "python"))).toBe("b'hello'\n")
  expect(await place.python(guide.take("pySerial", "python"))).toBe("b'hello' 57600\n")

  const local = "A port for programs that want one"
  place.start(guide.take(local, "sh"))
  await eventually(() => access(join(place.folder, "uno")))
  const program = guide.take(local, "python")
  expect(await place.python(program)).toBe("b'hello'\n")
  expect(await place.python(program)).toBe("b'hello'\n")
  const minicom = await startInTerminal(place, guide.take(local, "sh"))
  await minicom.find("CTRL-A Z")
  await minicom.type("by minicom")
  await minicom.find("by minicom")
  await minicom.type("\x01x\r")
  expect(await minicom.exited).toBe(0)

  const telnet = await startInTerminal(place, guide.take("By hand", "sh"))
  await telnet.find("Escape character is")
  await telnet.type("by telnet")
  await telnet.find("by telnet")
  const whoIsConnected = guide.take("Who is connected", "sh")
  await eventually(async () => {
    const clients = [expect.objectContaining({ hasControl: true })]
    const tunnel: unknown = expect.objectContaining({ type: "rfc2217", device, clients })
    expect(JSON.parse(await place.sh(whoIsConnected))).toEqual({ tunnels: expect.arrayContaining([tunnel]) })
  })
  await telnet.type("\x1d")
  await telnet.find("telnet>")
  await telnet.type("quit\r")
  expect(await telnet.exited).toBe(0)

  expect(await place.sh(guide.take("By hand", "sh"))).toBe("hello")
})

test("the bridges of guide and README put a device on a port without a configuration", async () => {
  const place = await createWorkplace()
  const [readme = ""] = await readmeCommands("Over TCP")
  for (const command of [guide.take("Start", "sh"), readme.replace("npx ", "")]) {
    const port = /--listen (\d+)/.exec(command)?.[1] ?? ""
    const free = String(await freePort())
    const bridge = place.start(command.replace(port, free))
    await bridge.said(new RegExp(`:${free}`))
    expect(await place.sh(`printf 'hello' | socat -t 5 - tcp:127.0.0.1:${free}`)).toBe("hello")
    bridge.interrupt()
    expect(await bridge.ended).toMatchObject({ code: 0 })
  }
})

test("connections end with the device where the guide says so", async () => {
  const place = await createWorkplace()
  const port = join(place.folder, "board")
  const config = guide.take("When the device is unplugged", "yaml").replace('"sim:echo"', port)
  const plugged = await plugInEcho(place, port)
  await startTunnels(config, device)
  const client = place.start(`socat -u tcp:127.0.0.1:${rawPort} -`)
  await place.sh(`printf 'hello' | socat -u - tcp:127.0.0.1:${rawPort}`)
  await eventually(async () => expect(await plugged.received()).toBe("hello"))
  await plugged.unplug()
  expect(await client.ended).toMatchObject({ code: 0 })
})

test("who is outside the guide's networks is cut off before a byte is read", async () => {
  await startTunnels(guide.take("Who may connect", "yaml").replace("0.0.0.0", "127.0.0.1"), device)
  const socket = createConnection({ port: rawPort, host: "127.0.0.1" })
  let received = 0
  socket.on("data", (bytes: Uint8Array) => (received += bytes.byteLength))
  // A reset says the same as an end.
  socket.on("error", () => {})
  await once(socket, "close")
  expect(received).toBe(0)
})
