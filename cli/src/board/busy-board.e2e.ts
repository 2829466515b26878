import { deviceAt } from "@serialcast/serial-agent"
import { expect, test } from "vitest"
import { startTestAll } from "../testing/start-test-all.ts"

test("a program that takes no Ctrl-C is a busy board, which is told in time, and nothing is done", async () => {
  await using all = await startTestAll({}, { devices: { board: deviceAt("sim:micropython") } })
  const device = `${all.httpUrl}/api/v1/devices/local/board`
  const stubborn = [
    "import time",
    "def main():",
    " while True:",
    "  try:",
    "   time.sleep(1)",
    "  except KeyboardInterrupt:",
    "   pass",
    "main()",
  ].join("\n")
  const running = fetch(`${device}/run?timeoutMs=200`, { method: "POST", body: stubborn })
  expect(await (await running).json()).toMatchObject({ code: "board_busy" })
  const refused = await fetch(`${device}/files/x`, { method: "PUT", body: "x" })
  expect([refused.status, await refused.json()]).toMatchObject([503, { code: "board_busy" }])
})
