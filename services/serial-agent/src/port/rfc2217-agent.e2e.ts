import { execFileSync } from "node:child_process"
import { startPyserialServer, startSer2net } from "@serialcast/ports/testing"
import { eventually } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { listenTo } from "../testing/listen-to.ts"
import { startDeviceAt } from "../testing/start-device-at.ts"
import { untilState } from "../testing/test-agent.ts"

const allValues = Uint8Array.from({ length: 1024 * 1024 }, (_, at) => at ^ (at >> 8))

test("a device behind ser2net: bytes both ways, settings at its terminal, and a gap when the server was gone", async () => {
  const server = await startSer2net()
  onTestFinished(() => server[Symbol.asyncDispose]())
  const { pty } = server
  const { client, device } = await startDeviceAt(server.url)
  const heard = await listenTo(device)

  await pty.write(allValues, { timeoutMs: 30_000 })
  await eventually(() => expect(heard.bytes().byteLength).toBe(allValues.byteLength), { timeoutMs: 20_000 })
  expect(Buffer.compare(heard.bytes(), allValues)).toBe(0)
  const reading = pty.read(allValues.byteLength, { timeoutMs: 30_000 })
  await device.write(allValues, { by: "test" })
  expect(Buffer.compare(await reading, allValues)).toBe(0)

  const settings = { baudRate: 57_600, stopBits: 2 } as const
  expect(await device.configure(settings, { by: "test" })).toMatchObject(settings)
  expect(execFileSync("stty", ["-F", pty.path, "-a"], { encoding: "utf8" })).toMatch(
    /speed 57600 baud[^]* cstopb/,
  )

  await server.kill()
  await untilState(client, "local/uno", ({ online, problem }) => !online && problem?.code === "open_failed")
  // What nobody reads is what the gap stands for.
  await pty.write(Uint8Array.of(1, 2, 3))
  await server.restart()
  await untilState(client, "local/uno", ({ online, open }) => online && open === 2)
  expect(execFileSync("stty", ["-F", pty.path], { encoding: "utf8" })).toMatch(/speed 57600 baud/)
  await pty.write(Uint8Array.of(9))
  await eventually(() => expect(heard.bytes().at(-1)).toBe(9))
  expect(heard.others).toEqual(["settings", "closed", "gap unread", "opened"])
})

test("modem lines behind pySerial's server are told when they change, and a macro plays them", async () => {
  const server = await startPyserialServer()
  onTestFinished(() => server[Symbol.asyncDispose]())
  const { client, device } = await startDeviceAt(server.url)
  await untilState(client, "local/uno", ({ lines }) => lines?.["cts"] === true && lines["dtr"] === true)
  expect(await device.signal({ macro: "D0R1|W0.1|D1R0" }, { by: "test" })).toMatchObject({
    dtr: true,
    rts: false,
  })
  await untilState(client, "local/uno", ({ lines }) => lines?.["cts"] === false && lines["dsr"] === true)
})
