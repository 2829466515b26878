import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { eventually, freePort } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { plugInEcho } from "./plugged-device.ts"
import { startTunnels } from "./start-tunnels.ts"
import { createWorkplace, type Workplace } from "./workplace.ts"

interface Ser2net {
  readonly accepter: string
  readonly connector: string
}

async function startSer2net(place: Workplace, { accepter, connector }: Ser2net): Promise<void> {
  const file = join(place.folder, `ser2net-${crypto.randomUUID()}.yaml`)
  await writeFile(file, `connection: &one\n  accepter: ${accepter}\n  connector: ${connector}\n`)
  place.start(`ser2net -n -d -c ${file}`)
}

test("a device behind ser2net is one of ours, and another ser2net is a client of its tunnel", async () => {
  const place = await createWorkplace()
  const path = join(place.folder, "board")
  await plugInEcho(place, path)
  const [source, tunnel, client] = [await freePort(), await freePort(), await freePort()]
  await startSer2net(place, {
    accepter: `telnet(rfc2217),tcp,127.0.0.1,${source}`,
    connector: `serialdev,${path},115200n81,local`,
  })
  const config = `
devices: { board: { port: "rfc2217://127.0.0.1:${source}", baudRate: 57600 } }
tunnels: [{ type: rfc2217, listen: "127.0.0.1:${tunnel}", device: local/board }]`
  await startTunnels(config, "local/board")
  expect(await place.sh(`stty -F ${path} speed`)).toBe("57600\n")
  await startSer2net(place, {
    accepter: `tcp,127.0.0.1,${client}`,
    connector: `telnet(rfc2217),tcp,127.0.0.1,${tunnel}`,
  })
  const connects = () => place.sh(`socat -u /dev/null tcp:127.0.0.1:${client}`)
  await eventually(connects)
  const bytes = String(256 * 1024)
  expect(await place.pythonFile("all-of-a-port.py", `socket://127.0.0.1:${client}`, bytes)).toContain(
    "all done",
  )
})
