import { createHash } from "node:crypto"
import { symlink } from "node:fs/promises"
import { join } from "node:path"
import { eventually, openPty, seededRandom } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { startAllInOne } from "./all-in-one.ts"
import { run } from "./program.ts"
import { readByCurl, readByMosquitto, readByWebSocket } from "./reader.ts"
import { foreignBrokers, startBroker } from "./start-broker.ts"

const noToken = "none"

describe.each(foreignBrokers)("%s", (name) => {
  test("the main job works on a broker that is not ours", async () => {
    const random = seededRandom()
    await using broker = await startBroker(name)
    await using all = await startAllInOne(
      (folder) => `devices: { board: { port: ${folder}/board } }`,
      `broker: { url: "mqtt://127.0.0.1:${broker.port}" }`,
    )
    await using pty = await openPty()
    await symlink(pty.path, join(all.folder, "board"))
    await all.untilOnline("local/board")

    const bytes = random.bytes(1024 * 1024)
    const readers = await Promise.all([
      readByCurl(`${all.httpUrl}/api/v1/devices/local/board/stream`, noToken),
      readByWebSocket(`${all.pageUrl.replace("http", "ws")}ws?device=local/board`, noToken),
      readByMosquitto(broker.port, noToken, "serialcast/local/board"),
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
    await using broker = await startBroker(name)
    await using all = await startAllInOne(
      () =>
        `devices: { board: { port: "sim:echo" } }\ntunnels: [{ type: raw, listen: "127.0.0.1:0", device: local/board }]`,
      `broker: { url: "mqtt://127.0.0.1:${broker.port}" }`,
    )
    await all.untilOnline("local/board")
    // It fails when its time is over; what it said, which is quoted, is what the broker keeps.
    const topics = ["-t", "serialcast/_tunnels/+", "-t", "serialcast/local/status"]
    const readKept = () =>
      run("mosquitto_sub", ["-p", String(broker.port), ...topics, "-W", "1", "-F", "%t %l"]).catch(String)
    await eventually(async () => expect(await readKept()).toMatch(/_tunnels\/tcp-tunnel-\w+ [1-9]/))
    all.kill()
    await eventually(async () => {
      const kept = await readKept()
      expect(kept).toContain("serialcast/local/status")
      expect(kept).not.toContain("_tunnels/tcp-tunnel")
    })
  })
})
