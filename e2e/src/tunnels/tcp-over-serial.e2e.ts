import { createHash, randomBytes } from "node:crypto"
import { once } from "node:events"
import { createReadStream } from "node:fs"
import { createServer } from "node:http"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import { freePort } from "@serialcast/testkit"
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest"
import { type Guide, readGuide } from "./guide.ts"
import { layCable } from "./plugged-device.ts"
import { startSshServer } from "./ssh-server.ts"
import { startTunnels } from "./start-tunnels.ts"
import { createWorkplace, type Workplace } from "./workplace.ts"

const imageBytes = 100 * 1024 * 1024
let guide: Guide

beforeAll(async () => {
  guide = await readGuide("tcp-over-serial.md")
  guide.replace("1234", String(await freePort()))
})

afterAll(() => guide.checkAllTaken())

/** Lays the cable between the ports that the guide names. */
async function layGuideCable(place: Workplace): Promise<void> {
  const one = join(place.folder, "ttyUSB0")
  const other = join(place.folder, "ttyUSB1")
  guide.replace("/dev/ttyUSB0", one)
  guide.replace("/dev/ttyUSB1", other)
  await layCable(place, one, other)
}

test("ssh logs in through the guide's two gateways and the cable between them, time after time", async () => {
  const place = await createWorkplace()
  const { port, user } = await startSshServer(place)
  await layGuideCable(place)
  guide.replace("127.0.0.1:22", `127.0.0.1:${port}`)
  guide.replace("pi@", `${user}@`)
  await startTunnels(guide.take("Log in by ssh", "yaml"), "local/cable")
  await startTunnels(guide.take("Log in by ssh", "yaml"), "local/cable")
  const command = guide.take("Log in by ssh", "sh")
  for (let login = 0; login < 3; login++) expect(await place.sh(command)).toBe("Linux\n")
})

test("curl downloads 100 MB through the guide's two bridges, byte for byte", async () => {
  const place = await createWorkplace()
  const image = randomBytes(imageBytes)
  const server = createServer((_, response) => response.end(image)).listen(0, "127.0.0.1")
  onTestFinished(() => void server.close())
  await once(server, "listening")
  const address = server.address()
  const port = typeof address === "object" ? address?.port : undefined
  await layGuideCable(place)
  guide.replace("127.0.0.1:8000", `127.0.0.1:${port}`)
  place.start(guide.take("Without a file", "sh"))
  const bridge = place.start(guide.take("Without a file", "sh"))
  await bridge.said(/^The other end of the cable answers/)
  await place.sh(guide.take("Without a file", "sh"), 240_000)
  const downloaded = createHash("sha256")
  await pipeline(createReadStream(join(place.folder, "image.bin")), downloaded)
  expect(downloaded.digest("hex")).toBe(createHash("sha256").update(image).digest("hex"))
})
