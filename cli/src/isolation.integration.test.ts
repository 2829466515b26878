import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { checkCounting, countingBytes, eventually } from "@serialcast/testkit"
import { connectAsync } from "mqtt"
import { expect, test } from "vitest"
import { WebSocket } from "ws"
import { collectMqtt, collectSse, collectWebSocket } from "./testing/collectors.ts"
import { startTestAll } from "./testing/start-test-all.ts"

const mebibyte = 1024 * 1024

/** A client that asks for a stream and then never reads again. */
async function freezeHttp(port: number, head: string): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port })
  await once(socket, "connect")
  socket.write(`${head}\r\nHost: localhost\r\n\r\n`)
  await once(socket, "readable")
  socket.pause()
  return socket
}

test("clients that stopped reading, of every kind, cost the others and the port nothing", async () => {
  await using running = await startTestAll()
  const { pty, httpUrl, consoleUrl, mqttUrl, httpPort } = running
  const socketUrl = `${consoleUrl.replace("http", "ws")}/ws?device=local/pty`
  const frozenSse = await freezeHttp(httpPort, "GET /api/v1/devices/local/pty/stream HTTP/1.1")
  const frozenHex = await freezeHttp(httpPort, "GET /readbytes HTTP/1.1")
  const frozenSocket = new WebSocket(socketUrl, "serialcast.v1")
  await once(frozenSocket, "open")
  frozenSocket.pause()
  const frozenMqtt = await connectAsync(mqttUrl, { reconnectPeriod: 0 })
  await frozenMqtt.subscribeAsync("serialcast/local/pty/rx")
  frozenMqtt.stream.pause()

  // More than any of them could leave in its own buffers, the system's and ours together.
  const sent = countingBytes(0, 24 * mebibyte)
  const live = await Promise.all([
    collectSse(`${httpUrl}/api/v1/devices/local/pty/stream`, sent.byteLength),
    collectWebSocket(socketUrl, sent.byteLength),
    collectMqtt(mqttUrl, "serialcast/local/pty/rx", sent.byteLength),
  ])
  for (let at = 0; at < sent.byteLength; at += mebibyte) {
    await pty.write(sent.subarray(at, at + mebibyte), { timeoutMs: 30_000 })
    // A live MQTT client must not fall behind so far that it is taken for a frozen one: MQTT cannot ask it to hurry.
    await eventually(() => expect(live[2].received()).toBeGreaterThanOrEqual(at), { timeoutMs: 30_000 })
  }
  for (const { done } of live) expect(checkCounting(await done, 0)).toBeUndefined()
  // Exactly the frozen subscriber was cut off; the frozen readers of the other kinds wait, at no cost but a window.
  expect(await running.metrics.metrics()).toContain(
    'serialcast_broker_clients_cut_total{code="slow_client"} 1\n',
  )
  expect(frozenSse.destroyed || frozenHex.destroyed || frozenSocket.readyState !== WebSocket.OPEN).toBe(false)

  frozenSse.destroy()
  frozenHex.destroy()
  frozenSocket.terminate()
  frozenMqtt.end(true)
})
