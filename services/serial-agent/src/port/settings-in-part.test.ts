import { openPty } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { deviceAt } from "../config.ts"
import { startAgent, startBroker, startDeviceClient, untilState } from "../testing/test-agent.ts"

/** A device `uno` at a pseudo-terminal, which has eight data bits and no parity, configured as 9600 7E1. */
async function startWith7E1() {
  const memory = await startBroker()
  const pty = await openPty()
  onTestFinished(() => pty[Symbol.asyncDispose]())
  const uno = { ...deviceAt(pty.path), baudRate: 9_600, dataBits: 7, parity: "even" } as const
  await startAgent(() => memory.connect(), {}, { devices: { uno } })
  const client = await startDeviceClient(memory)
  return { pty, client, device: client.device("local/uno") }
}

const has = { baudRate: 9_600, dataBits: 8, parity: "none", stopBits: 1, flowControl: "none" }

test("a device whose port cannot carry its parity and data bits is online, and its state says what it has", async () => {
  const { pty, client, device } = await startWith7E1()
  const state = await untilState(client, "local/uno", ({ online }) => online)
  expect(state).toMatchObject({ problem: null, settings: { ...has, unsupported: ["dataBits", "parity"] } })
  const bytes = Uint8Array.from({ length: 256 }, (_, at) => at)
  await Promise.all([device.write(bytes, { by: "test" }), pty.read(bytes.byteLength)])
})

test("what an open port does not take is told to who asked for it, and to all", async () => {
  const { client, device } = await startWith7E1()
  await untilState(client, "local/uno", ({ online }) => online)
  const by = { by: "test" }
  const none = await device.configure({ parity: "none", dataBits: 8 }, by)
  expect(none).toEqual(has)
  const inForce = { ...has, baudRate: 19_200, unsupported: ["parity"] }
  expect(await device.configure({ parity: "mark", baudRate: 19_200 }, by)).toEqual(inForce)
  await untilState(client, "local/uno", ({ settings }) => settings.unsupported?.[0] === "parity")
  expect(client.devices.get("local/uno")?.settings).toEqual(inForce)
  expect(await device.configure({ baudRate: 9_600 }, by)).toEqual(has)
  await untilState(client, "local/uno", ({ settings }) => settings.unsupported === undefined)
})
