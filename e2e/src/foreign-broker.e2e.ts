import { createHash } from "node:crypto"
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { eventually, freePort, openPty, seededRandom } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { startAllInOne } from "./all-in-one.ts"
import { run, startProgram } from "./program.ts"
import { readByCurl, readByMosquitto, readByWebSocket } from "./reader.ts"

const noToken = "none"

/** Debian's Mosquitto with its defaults, but for where it listens and who may come. Answers its port. */
async function startMosquitto(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "serialcast-mosquitto-"))
  const port = await freePort()
  const file = join(folder, "mosquitto.conf")
  await writeFile(file, `listener ${port} 127.0.0.1\nallow_anonymous true\n`)
  const running = startProgram("mosquitto", ["-c", file], () => {})
  onTestFinished(async () => {
    await running[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })
  return port
}

test("the main job works on a broker that is not ours", async () => {
  const random = seededRandom()
  const mqttPort = await startMosquitto()
  await using all = await startAllInOne(
    (folder) => `devices: { board: { port: ${folder}/board } }`,
    `broker: { url: "mqtt://127.0.0.1:${mqttPort}" }`,
  )
  await using pty = await openPty()
  await symlink(pty.path, join(all.folder, "board"))
  await all.untilOnline("local/board")

  const bytes = random.bytes(1024 * 1024)
  const readers = await Promise.all([
    readByCurl(`${all.httpUrl}/api/v1/devices/local/board/stream`, noToken),
    readByWebSocket(`${all.pageUrl.replace("http", "ws")}ws?device=local/board`, noToken),
    readByMosquitto(mqttPort, noToken, "serialcast/local/board"),
  ])
  await pty.write(bytes)
  const hashOf = (whole: Uint8Array) => createHash("sha256").update(whole).digest("hex")
  for (const reader of readers) {
    expect(hashOf(await reader.take(bytes.byteLength)), `seed ${random.seed}`).toBe(hashOf(bytes))
    await reader[Symbol.asyncDispose]()
  }

  const url = `${all.httpUrl}/api/v1/devices/local/board/write`
  const writing = fetch(url, { method: "POST", body: bytes })
  expect(hashOf(await pty.read(bytes.byteLength)), `seed ${random.seed}`).toBe(hashOf(bytes))
  expect(await (await writing).json()).toMatchObject({ bytes: bytes.byteLength })
})

test("a broker that is not ours keeps the report of tunnels, and loses it when their process is killed", async () => {
  const mqttPort = await startMosquitto()
  await using all = await startAllInOne(
    () =>
      `devices: { board: { port: "sim:echo" } }\ntunnels: [{ type: raw, listen: "127.0.0.1:0", device: local/board }]`,
    `broker: { url: "mqtt://127.0.0.1:${mqttPort}" }`,
  )
  await all.untilOnline("local/board")
  // It fails when its time is over; what it said, which is quoted, is what the broker keeps.
  const topics = ["-t", "serialcast/_tunnels/+", "-t", "serialcast/local/status"]
  const readKept = () =>
    run("mosquitto_sub", ["-p", String(mqttPort), ...topics, "-W", "1", "-F", "%t %l"]).catch(String)
  await eventually(async () => expect(await readKept()).toMatch(/_tunnels\/tcp-tunnel-\w+ [1-9]/))
  all.kill()
  await eventually(async () => {
    const kept = await readKept()
    expect(kept).toContain("serialcast/local/status")
    expect(kept).not.toContain("_tunnels/tcp-tunnel")
  })
})
