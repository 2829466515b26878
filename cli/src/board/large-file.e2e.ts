import { deviceAt } from "@serialcast/serial-agent"
import { seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { startTestAll } from "../testing/start-test-all.ts"

// As fast as the simulated wire goes, so that the board is what is waited for.
const baudRate = 4_000_000

test.each([
  ["sim:micropython", 1024 * 1024],
  ["sim:micropython?ring=64", 100_000],
])("on %s a file of %i random bytes is the same after its way there and back", async (port, size) => {
  await using all = await startTestAll({}, { devices: { board: { ...deviceAt(port), baudRate } } })
  const device = `${all.httpUrl}/api/v1/devices/local/board`
  const random = seededRandom()
  const file = random.bytes(size)
  const stored = await fetch(`${device}/files/large.bin`, { method: "PUT", body: file })
  expect(stored.status, await stored.text()).toBe(200)
  const got = await fetch(`${device}/files/large.bin`)
  const bytes = Buffer.from(await got.arrayBuffer())
  expect(bytes.equals(file), `seed ${random.seed}`).toBe(true)
  const code = "import machine; print(machine.rx_dropped())"
  const ran = await fetch(`${device}/run`, { method: "POST", body: code })
  expect(await ran.json()).toEqual({ stdout: "0\r\n", stderr: "" })
})
