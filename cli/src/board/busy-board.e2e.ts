import { deviceAt } from "@serialcast/serial-agent"
import { expect, test } from "vitest"
import { startTestAll } from "../testing/start-test-all.ts"

test("a program that takes no Ctrl-C is a busy board, which is told in time, and nothing is done", async () => {
  await using all = await startTestAll({}, { devices: { board: deviceAt("sim:micropython") } })
  const device = `${all.httpUrl}/api/v1/devices/local/board`
  // One that catches each interrupt is ended by one that comes between two.
  const stubborn = "import micropython,time\nmicropython.kbd_intr(-1)\nwhile True: time.sleep(1)"
  const running = fetch(`${device}/run?timeoutMs=200`, { method: "POST", body: stubborn })
  expect(await (await running).json()).toMatchObject({ code: "board_busy" })
  const refused = await fetch(`${device}/files/x`, { method: "PUT", body: "x" })
  expect([refused.status, await refused.json()]).toMatchObject([503, { code: "board_busy" }])
})
