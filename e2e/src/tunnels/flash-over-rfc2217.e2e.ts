import { once } from "node:events"
import { createConnection } from "node:net"
import { eventually, freePort } from "@serialcast/testkit"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type Guide, readGuide } from "./guide.ts"
import { readLinesMarks } from "./read-lines-marks.ts"
import { startTunnels } from "./start-tunnels.ts"
import { createWorkplace } from "./workplace.ts"

/** What the board sends back at the end of esptool's calls, as it echoes. */
const echoed = "c000082400c0\n"
let guide: Guide
let rfc2217Port: number

beforeAll(async () => {
  guide = await readGuide("flash-over-rfc2217.md")
  rfc2217Port = await freePort()
  guide.replace("7001", String(await freePort()))
  guide.replace("7002", String(rfc2217Port))
  guide.replace("/dev/ttyUSB0", '"sim:modem"')
})

afterAll(() => guide.checkAllTaken())

// The marks tell the lines before and after a macro: the simulated board raises both when it is opened.

test("after esptool's calls the bootloader sequence was played, and the port gets its settings back", async () => {
  const place = await createWorkplace()
  const gateway = await startTunnels(guide.take("ESP boards", "yaml"), "local/esp")
  const url = /rfc2217:\S+/.exec(guide.take("ESP boards", "sh"))?.[0] ?? ""
  expect(await place.pythonFile("esptool-calls.py", url, "bootloader")).toBe(echoed)
  const board = gateway.deviceUrl("local/esp")
  expect(await readLinesMarks(board, 2)).toEqual(["D1R1", "D0R0"])
  await eventually(async () =>
    expect(await (await fetch(`${board}/settings`)).json()).toMatchObject({ baudRate: 115200 }),
  )
})

test("opening plays nothing; the bootloader sequence and the reset at the end play each its macro", async () => {
  const place = await createWorkplace()
  const gateway = await startTunnels(guide.take("ESP boards", "yaml"), "local/esp")
  const call = (...sequences: string[]) =>
    place.pythonFile("esptool-calls.py", `rfc2217://127.0.0.1:${rfc2217Port}`, ...sequences)
  expect(await call()).toBe("")
  expect(await call("bootloader", "reset")).toBe(echoed + echoed)
  expect(await readLinesMarks(gateway.deviceUrl("local/esp"), 3)).toEqual(["D1R1", "D1R0", "D1R1"])
})

test("where lines are passed on, the board gets every change of esptool's calls, and none by opening", async () => {
  const place = await createWorkplace()
  const gateway = await startTunnels(guide.take("Other boards", "yaml"), "local/board")
  const url = `rfc2217://127.0.0.1:${rfc2217Port}`
  expect(await place.pythonFile("esptool-calls.py", url, "bootloader")).toBe(echoed)
  // DTR off; RTS is on already; DTR on, RTS off; DTR off.
  const changes = ["D1R1", "D0R1", "D1R1", "D1R0", "D0R0"]
  expect(await readLinesMarks(gateway.deviceUrl("local/board"), changes.length)).toEqual(changes)
})

test("an Arduino is reset by HTTP, and avrdude's address leads to its bytes", async () => {
  const place = await createWorkplace()
  const gateway = await startTunnels(guide.take("Arduino", "yaml"), "local/uno")
  guide.replace("http://localhost:8081", gateway.httpUrl)
  expect(JSON.parse(await place.sh(guide.take("Arduino", "sh")))).toMatchObject({
    lines: { dtr: true, rts: true },
  })
  const [, host, port] = /net:([\d.]+):(\d+)/.exec(guide.take("Arduino", "sh")) ?? []
  const socket = createConnection({ host, port: Number(port) })
  // Sign-on of the bootloader's protocol.
  socket.write("0 ")
  expect(String((await once(socket, "data"))[0])).toBe("0 ")
  socket.destroy()
})
