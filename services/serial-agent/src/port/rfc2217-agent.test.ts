import { TestCoreServer } from "@serialcast/ports/testing"
import { eventually } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { listenTo } from "../testing/listen-to.ts"
import { startDeviceAt } from "../testing/start-device-at.ts"
import { untilState } from "../testing/test-agent.ts"

const allValues = Uint8Array.from({ length: 256 * 1024 }, (_, at) => at ^ (at >> 8))

test("a device behind a device server: bytes both ways, settings, and a gap when the server was gone", async () => {
  const server = await TestCoreServer.start()
  onTestFinished(() => server.stop())
  const { client, device } = await startDeviceAt(server.url)
  const heard = await listenTo(device)

  await server.deviceWrites(allValues)
  await eventually(() => expect(heard.bytes().byteLength).toBe(allValues.byteLength))
  expect(Buffer.compare(heard.bytes(), allValues)).toBe(0)
  const reading = server.deviceReads(allValues.byteLength)
  await device.write(allValues, { by: "test" })
  expect(Buffer.compare(await reading, allValues)).toBe(0)
  const settings = { baudRate: 57_600, stopBits: 2, parity: "mark" } as const
  expect(await device.configure(settings, { by: "test" })).toMatchObject(settings)

  await server.stop()
  await untilState(client, "local/uno", ({ online, problem }) => !online && problem?.code === "open_failed")
  server.values = { ...server.values, baudRate: 9_600, stopBits: 1, parity: "none" }
  await server.listen()
  await untilState(client, "local/uno", ({ online, open }) => online && open === 2)
  // They are made again at each opening.
  expect(server.values).toMatchObject(settings)
  await server.deviceWrites(Uint8Array.of(9))
  await eventually(() => expect(heard.bytes().at(-1)).toBe(9))
  expect(heard.bytes().byteLength).toBe(allValues.byteLength + 1)
  // The lines are told whenever the server tells them.
  const others = heard.others.filter((kind) => kind !== "lines")
  expect(others).toEqual(["settings", "closed", "gap unread", "opened"])
})

test("modem lines behind a device server are told when they change, and a macro plays them", async () => {
  const server = await TestCoreServer.start()
  onTestFinished(() => server.stop())
  const { client, device } = await startDeviceAt(server.url)
  await untilState(client, "local/uno", ({ lines }) => lines?.["cts"] === true && lines["dtr"] === true)
  server.drive({ cts: false })
  await untilState(client, "local/uno", ({ lines }) => lines?.["cts"] === false)
  const macro = device.signal({ macro: "D0R1|W0.1|D1R0" }, { by: "test" })
  expect(await macro).toMatchObject({ dtr: true, rts: false })
  expect(server.values).toMatchObject({ dtr: true, rts: false })
})
