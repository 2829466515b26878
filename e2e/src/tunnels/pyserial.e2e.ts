import { join } from "node:path"
import { freePort } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { plugInEcho } from "./plugged-device.ts"
import { startTunnels } from "./start-tunnels.ts"
import { createWorkplace } from "./workplace.ts"

const bytes = String(1024 * 1024)

test("pySerial has all of a port through rfc2217://, and its bytes through socket://", async () => {
  const place = await createWorkplace()
  const path = join(place.folder, "board")
  await plugInEcho(place, path)
  const [raw, rfc2217] = [await freePort(), await freePort()]
  const config = `
devices: { board: { port: ${path} } }
tunnels:
  - { type: raw, listen: "127.0.0.1:${raw}", device: local/board }
  - { type: rfc2217, listen: "127.0.0.1:${rfc2217}", device: local/board }`
  await startTunnels(config, "local/board")
  expect(await place.pythonFile("all-of-a-port.py", `socket://127.0.0.1:${raw}`, bytes)).toContain("all done")
  expect(await place.pythonFile("all-of-a-port.py", `rfc2217://127.0.0.1:${rfc2217}`, bytes)).toContain(
    "all done",
  )
})

test("pySerial has the frames and modem lines of a UART through rfc2217://", async () => {
  const place = await createWorkplace()
  const port = await freePort()
  const config = `
devices: { board: { port: "sim:modem" } }
tunnels: [{ type: rfc2217, listen: "127.0.0.1:${port}", device: local/board }]`
  await startTunnels(config, "local/board")
  const url = `rfc2217://127.0.0.1:${port}`
  expect(await place.pythonFile("all-of-a-port.py", url, "10000", "uart")).toContain("all done")
})
