import type { Framing } from "@serialcast/contract"
import { eventually } from "@serialcast/testkit"
import { connectAsync } from "mqtt"
import { describe, expect, onTestFinished, test } from "vitest"
import { readEvents } from "./testing/read-events.ts"
import { spawnCli } from "./testing/spawn-cli.ts"
import { startTestAll, type TestAll } from "./testing/start-test-all.ts"

const encode = (text: string) => Uint8Array.from(text, (unit) => unit.charCodeAt(0))

/** Messages as they come; cut ones have `✂` behind. */
type Heard = readonly string[]

async function subscribe({ mqttUrl }: TestAll): Promise<Heard> {
  const heard: string[] = []
  const mqtt = await connectAsync(mqttUrl)
  onTestFinished(() => void mqtt.end(true))
  mqtt.on("message", (topic, payload) => {
    heard.push(payload.toString("latin1") + (topic.endsWith("/cut") ? "✂" : ""))
  })
  await mqtt.subscribeAsync(["serialcast/local/pty/line", "serialcast/local/pty/line/cut"])
  return heard
}

/** As the command line shows it. */
function asLine(message: string): string {
  return Buffer.from(message.replace("✂", ""), "latin1").toString() + (message.endsWith("✂") ? "…" : "")
}

/** Resolves when the stream stands. */
async function follow({ httpUrl }: TestAll, from: string): Promise<Heard> {
  const heard: string[] = []
  const leaving = new AbortController()
  onTestFinished(() => leaving.abort())
  const url = `${httpUrl}/api/v1/devices/local/pty/stream?encoding=lines&from=${from}`
  const events = readEvents(url, { signal: leaving.signal })
  await events.next()
  const reading = (async () => {
    for await (const { event, data } of events) {
      if (event !== "line") continue
      const { text, cut = false } = JSON.parse(data) as { text: string; cut?: boolean }
      heard.push(text + (cut ? "✂" : ""))
    }
  })()
  // Ends by leaving.
  reading.catch(() => {})
  return heard
}

describe.each<[Framing, string, string, string[]]>([
  [{ type: "line", maxBytes: 16 }, "20.25\n-12", "1.50\n20.75\n", ["-121.50", "20.75"]],
  [{ type: "delimiter", delimiter: "3B3B", maxBytes: 16 }, "a;;bc;", ";d;;", ["bc", "d"]],
  [{ type: "fixed", length: 4 }, "aaaabb", "bbccccdd", ["bbbb", "cccc"]],
  [{ type: "slip", maxBytes: 16 }, "\xc0a\xc0\xdb", "\xdcb\xc0\xdb\xdb\xdc\xc0", ["\xc0b", "\xdb\xc0✂"]],
  [{ type: "line", maxBytes: 4 }, "ab\n123", "45678\n6\n", ["1234✂", "5678✂", "6"]],
])("with %j", (framing, before, after, expected) => {
  test("whoever comes in the middle of a message hears what everybody hears, over HTTP and on the command line as by MQTT", async () => {
    await using all = await startTestAll({}, {}, framing)
    const mqtt = await subscribe(all)
    await all.pty.write(encode(before))
    const history = async () =>
      await (await fetch(`${all.httpUrl}/api/v1/devices/local/pty/history`)).arrayBuffer()
    await eventually(async () => expect((await history()).byteLength).toBe(before.length))
    const early = await follow(all, "now")
    const late = await follow(all, "-2")
    await all.pty.write(encode(after))
    const isText = (text: string) => Buffer.from(text, "latin1").toString()
    for (const heard of [early, late, mqtt])
      await eventually(() => expect(heard.slice(-expected.length).map(isText)).toEqual(expected.map(isText)))
    // Ends by itself, right behind all that was sent.
    const count = `${after.length}`
    const args = ["tail", "--format", "lines", "--from", `-${count}`, "--count", count]
    const cli = spawnCli([...args, "--broker", all.mqttUrl])
    expect(await cli.exited).toBe(0)
    const lines = cli.stdout.text.split("\n").slice(0, expected.length)
    expect(lines).toEqual(expected.map(asLine))
  })
})

test("a silence ends a message for everybody, also when nothing follows; later it is the same message", async () => {
  await using all = await startTestAll({}, {}, { type: "idle", idleMs: 5, maxBytes: 16 })
  const live = [await subscribe(all), await follow(all, "now")]
  const sent = ["one", "two", "three"]
  for (const [n, message] of sent.entries()) {
    await all.pty.write(encode(message))
    for (const heard of live)
      await eventually(() => expect(heard).toEqual(sent.slice(0, n + 1)), { intervalMs: 1 })
  }
  const late = await follow(all, "start")
  await eventually(() => expect(late).toEqual(sent))
})
