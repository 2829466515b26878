import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { encodeHex } from "@serialcast/primitives"
import { createTemporaryFolder, eventually, freePort, openPty } from "@serialcast/testkit"
import { connectAsync, type MqttClient } from "mqtt"
import { expect, onTestFinished, test } from "vitest"
import { followEvents } from "./testing/event-source.ts"
import { spawnCli } from "./testing/spawn-cli.ts"

const restarts = 6

test.each(["/api/v1/devices/local/board/stream?from=start", "/readbytes"])(
  "an event stream %s outlives restarts by SIGTERM and kill -9 with every byte, and meets no other answer",
  { timeout: 120_000 },
  async (path) => {
    using folder = createTemporaryFolder()
    await using pty = await openPty()
    const file = join(folder.path, "serialcast.yaml")
    writeFileSync(file, `devices:\n  board: { port: ${pty.path} }\n`)
    const port = await freePort()
    const start = () =>
      spawnCli(["up", "--config", file], {
        SERIALCAST_HTTP_LISTEN: `127.0.0.1:${port}`,
        SERIALCAST_JOURNAL_DIR: join(folder.path, "journal"),
        SERIALCAST_BROKER_DIR: join(folder.path, "broker"),
      })
    using source = followEvents(`http://127.0.0.1:${port}${path}`)
    let sent = ""
    for (let round = 0; round <= restarts; round++) {
      const opens = source.opens
      const cli = start()
      await eventually(() => expect(source.opens).toBeGreaterThan(opens))
      await cli.stdout.find(/● +local\/board/)
      const bytes = Uint8Array.from({ length: 2_000 }, (_, at) => round + at)
      sent += encodeHex(bytes)
      await pty.write(bytes)
      await eventually(() => expect(source.hex).toHaveLength(sent.length))
      cli.child.kill(round % 2 === 0 ? "SIGTERM" : "SIGKILL")
      await cli.exited
    }
    expect(source.hex).toBe(sent)
    expect(source.strange).toEqual([])
  },
)

test("what a client retained outlives kill -9 of the joined process, and a device that is gone is not called online", async () => {
  using folder = createTemporaryFolder()
  const port = await freePort()
  const start = (devices: string) => {
    const file = join(folder.path, "serialcast.yaml")
    writeFileSync(file, devices)
    const cli = spawnCli(["up", "--config", file], {
      SERIALCAST_BROKER_LISTEN: `127.0.0.1:${port}`,
      SERIALCAST_BROKER_DIR: join(folder.path, "broker"),
    })
    return { cli, ready: cli.stdout.find(/Ctrl-C stops it/) }
  }
  const first = start("devices: { echo: { port: 'sim:echo' } }")
  await first.ready
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 })
  onTestFinished(() => void client.end(true))
  const online = nextOn(client, "serialcast/local/echo/availability", "online")
  await client.subscribeAsync("serialcast/local/echo/availability")
  await online
  await client.publishAsync("home/lamp", "on", { qos: 1, retain: true })
  client.on("error", () => {})
  first.cli.child.kill("SIGKILL")
  await first.cli.exited
  const second = start("devices: { other: { port: 'sim:echo' } }")
  await second.ready
  const reader = await connectAsync(`mqtt://127.0.0.1:${port}`)
  onTestFinished(() => void reader.end(true))
  const found = [
    nextOn(reader, "home/lamp", "on"),
    nextOn(reader, "serialcast/local/echo/availability", "offline"),
    nextOn(reader, "serialcast/local/other/availability", "online"),
  ]
  await reader.subscribeAsync("#")
  await Promise.all(found)
  second.cli.child.kill("SIGTERM")
  expect(await second.cli.exited).toBe(0)
}, 120_000)

/** Resolves with the first message on a topic that says this. */
function nextOn(client: MqttClient, topic: string, payload: string): Promise<void> {
  return new Promise((resolve) => {
    client.on("message", (on, bytes) => {
      if (on === topic && bytes.toString() === payload) resolve()
    })
  })
}
