import { createHash } from "node:crypto"
import { once } from "node:events"
import { seededRandom } from "@serialcast/testkit"
import { connectAsync } from "mqtt"
import { expect, test } from "vitest"
import { WebSocket } from "ws"
import { collectMqtt, collectSse, collectWebSocket } from "./testing/collectors.ts"
import { startTestAll } from "./testing/start-test-all.ts"

const mebibyte = 1024 * 1024
const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

test("8 MiB from the device arrive whole by SSE, WebSocket and MQTT at the same time", async () => {
  await using running = await startTestAll()
  const random = seededRandom()
  console.log(`seed ${random.seed}`)
  const sent = random.bytes(8 * mebibyte)
  const { pty, httpUrl, consoleUrl, mqttUrl } = running
  const collectors = await Promise.all([
    collectSse(`${httpUrl}/api/v1/devices/local/pty/stream`, sent.byteLength),
    collectSse(`${httpUrl}/readbytes`, sent.byteLength),
    collectWebSocket(`${consoleUrl.replace("http", "ws")}/ws?device=local/pty`, sent.byteLength),
    collectMqtt(mqttUrl, "serialcast/local/pty/rx", sent.byteLength),
  ])
  await pty.write(sent, { timeoutMs: 50_000 })
  const received = await Promise.all(collectors.map(({ done }) => done))
  expect(received.map(hashOf)).toEqual(collectors.map(() => hashOf(sent)))
})

test("three writers at once: each write arrives whole, none inside another", async () => {
  await using running = await startTestAll()
  const { pty, httpUrl, consoleUrl, mqttUrl } = running
  const block = 32 * 1024
  // Each byte tells its writer, and each block of MQTT its number: what arrives can be taken apart again.
  const byHttp = new Uint8Array(mebibyte).fill(0x48)
  const byWebSocket = new Uint8Array(mebibyte).fill(0x57)
  const byMqtt = Array.from({ length: mebibyte / block }, (_, n) => new Uint8Array(block).fill(0x80 + n))
  const arriving = pty.read(3 * mebibyte, { timeoutMs: 50_000 })
  const mqtt = await connectAsync(mqttUrl)
  const { socket, receipt } = await openWriter(`${consoleUrl.replace("http", "ws")}/ws?device=local/pty`)
  const http = fetch(`${httpUrl}/api/v1/devices/local/pty/write`, { method: "POST", body: byHttp })
  socket.send(byWebSocket)
  await Promise.all(
    byMqtt.map((bytes) => mqtt.publishAsync("serialcast/local/pty/tx", Buffer.from(bytes), { qos: 1 })),
  )
  const response = await http
  expect(await response.json()).toMatchObject({ device: "local/pty", bytes: mebibyte })
  expect(await receipt).toMatchObject({ type: "receipt" })
  const runs = runsOf(await arriving)
  expect(runs.filter(({ value }) => value === 0x48)).toEqual([{ value: 0x48, length: mebibyte }])
  expect(runs.filter(({ value }) => value === 0x57)).toEqual([{ value: 0x57, length: mebibyte }])
  expect(runs.filter(({ value }) => value >= 0x80)).toEqual(
    byMqtt.map((_, n) => ({ value: 0x80 + n, length: block })),
  )
  socket.close()
  await mqtt.endAsync()
})

async function openWriter(url: string): Promise<{ socket: WebSocket; receipt: Promise<unknown> }> {
  const socket = new WebSocket(url, "serialcast.v1")
  const receipt = new Promise((resolve) => {
    socket.on("message", (data, isBinary) => {
      if (isBinary) return
      const message = JSON.parse(new TextDecoder().decode(data as ArrayBuffer)) as { type?: string }
      if (message.type === "receipt" || message.type === "error") resolve(message)
    })
  })
  await once(socket, "open")
  return { socket, receipt }
}

function runsOf(bytes: Uint8Array): { value: number; length: number }[] {
  const runs: { value: number; length: number }[] = []
  for (const value of bytes) {
    const last = runs.at(-1)
    if (last?.value === value) last.length++
    else runs.push({ value, length: 1 })
  }
  return runs
}
