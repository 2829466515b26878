import { once } from "node:events"
import { AppError } from "@serialcast/contract"
import { eventually, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { PlayedDevices } from "../testing/test-device.ts"
import { connectClient, startTestTunnel } from "../testing/test-tunnel.ts"

const text = (parts: readonly Uint8Array[]) => Buffer.concat(parts).toString("latin1")

test("what the device sends reaches every client, what a client sends reaches the device", async () => {
  const { tunnel, devices, connect } = await startTestTunnel()
  const clients = await Promise.all([connect(), connect(), connect()])
  await eventually(() => expect(tunnel.state().clientCount).toBe(3))
  devices.send("hello")
  await eventually(() => expect(clients.map(({ text }) => text)).toEqual(["hello", "hello", "hello"]))
  clients[1]!.socket.write("AT\r")
  await eventually(() => expect(devices.sessions.map(({ written }) => text(written))).toEqual(["AT\r"]))
  expect(devices.sessions[0]!.by).toBe(`tcp:127.0.0.1:${clients[1]!.socket.localPort}`)
  await eventually(() =>
    expect(tunnel.state()).toMatchObject({
      type: "raw",
      endpoint: `127.0.0.1:${tunnel.address?.port}`,
      device: "local/uno",
      problem: null,
      link: null,
      totals: { clients: 3, refusedClients: 0, fromClients: 3, toClients: 15, refusedBytes: 0 },
    }),
  )
})

test("with replay a client begins with the device's last bytes", async () => {
  const { devices, connect } = await startTestTunnel({ replayBytes: 4 })
  devices.send("0123")
  devices.send("4567")
  const client = await connect()
  await eventually(() => expect(client.text).toBe("4567"))
  devices.send("89")
  await eventually(() => expect(client.text).toBe("456789"))
})

test("of a read-only tunnel, what clients send is thrown away and counted", async () => {
  const { tunnel, devices, connect } = await startTestTunnel({ readOnly: true })
  const client = await connect()
  client.socket.write("reboot\r")
  await eventually(() => expect(tunnel.state().clients).toMatchObject([{ refusedBytes: 7 }]))
  devices.send("still here")
  await eventually(() => expect(client.text).toBe("still here"))
  expect(devices.sessions).toEqual([])
})

test("a client beyond the limit, or from elsewhere, is closed before anything is read, and counted", async () => {
  const full = await startTestTunnel({ maxClients: 1 })
  const first = await full.connect()
  await eventually(() => expect(full.tunnel.state().clientCount).toBe(1))
  const second = await full.connect()
  await once(second.socket, "close")
  const strict = await startTestTunnel({ allow: ["10.0.0.0/8"] })
  const stranger = await strict.connect()
  await once(stranger.socket, "close")
  for (const { tunnel } of [full, strict]) expect(tunnel.state().totals.refusedClients).toBe(1)
  first.socket.resetAndDestroy()
  await eventually(() => expect(full.tunnel.state().clientCount).toBe(0))
  await full.connect()
  await eventually(() => expect(full.tunnel.state().clientCount).toBe(1))
})

test("a web browser is reset before anything of it is written, and counted; allowHttp lets it in", async () => {
  const request = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nreboot\r\n"
  const { tunnel, devices, connect } = await startTestTunnel({ allowHttp: false })
  const [page, program] = [await connect(), await connect()]
  for (const part of [request.slice(0, 9), request.slice(9)]) page.socket.write(part)
  expect(await page.ended).toBe("reset")
  program.socket.write("AT\r")
  await eventually(() => expect(devices.sessions.map(({ written }) => text(written))).toEqual(["AT\r"]))
  expect(tunnel.state()).toMatchObject({
    clientCount: 1,
    totals: { refusedClients: 1, refusedBytes: request.length },
  })
  const open = await startTestTunnel({ allowHttp: true })
  const welcome = await open.connect()
  welcome.socket.write(request)
  await eventually(() => expect(open.devices.sessions.map(({ written }) => text(written))).toEqual([request]))
})

test("500 clients that are refused are one line of the log with its reason, and a count", async () => {
  const lines: unknown[] = []
  const { tunnel, connect } = await startTestTunnel(
    { allow: ["10.0.0.0/8"] },
    { onLogLine: (line) => lines.push(line) },
  )
  for (let n = 0; n < 500; n += 50)
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const { socket } = await connect()
        await once(socket, "close")
      }),
    )
  expect(tunnel.state().totals.refusedClients).toBe(500)
  expect(lines).toMatchObject([{ msg: "a client was refused", reason: "its address is not in `allow`" }])
})

test("a client that has left its side and waits for nothing but an answer makes room for the next", async () => {
  const clock = new FakeClock()
  const { tunnel, connect } = await startTestTunnel({ maxClients: 1 }, { clock })
  for (let times = 0; times < 3; times++) {
    const client = await connect()
    client.socket.end("x")
    await eventually(() => expect(tunnel.state().totals.fromClients).toBe(times + 1))
    await eventually(() => expect(clock.pendingTimers).toBeGreaterThan(0))
  }
  expect(tunnel.state().totals).toMatchObject({ clients: 3, refusedClients: 0 })
})

test("an IPv4 client of a listener of both families is told from others by its IPv4 address", async () => {
  const { tunnel, connect } = await startTestTunnel({
    listen: { host: "*", port: 0 },
    allow: ["127.0.0.0/8"],
  })
  await connect()
  await eventually(() => expect(tunnel.state().clients[0]?.peer).toMatch(/^127\.0\.0\.1:\d+$/))
})

test("a connection in which nothing moved for the idle time is ended; one in which something moves is not", async () => {
  const clock = new FakeClock()
  const { tunnel, devices, connect } = await startTestTunnel({ idleTimeoutMs: 60_000 }, { clock })
  const client = await connect()
  await eventually(() => expect(tunnel.state().clientCount).toBe(1))
  clock.advance(59_000)
  devices.send("x")
  await eventually(() => expect(tunnel.state().totals.toClients).toBe(1))
  clock.advance(59_000)
  client.socket.write("y")
  await eventually(() => expect(tunnel.state().totals.fromClients).toBe(1))
  clock.advance(59_999)
  expect(tunnel.state().clientCount).toBe(1)
  clock.advance(1)
  expect(await client.ended).toBe("fin")
  await eventually(() => expect(tunnel.state().clientCount).toBe(0))
})

test("a client that ended its side gets what the device still sends, and the end after 1 s of silence", async () => {
  const clock = new FakeClock()
  const { tunnel, devices, connect } = await startTestTunnel({}, { clock })
  const client = await connect()
  client.socket.end("AT\r")
  await eventually(() => expect(tunnel.state().totals.fromClients).toBe(3))
  await eventually(() => expect(clock.pendingTimers).toBe(1))
  clock.advance(900)
  devices.send("O")
  await eventually(() => expect(client.text).toBe("O"))
  await clock.advanceAsync(900)
  devices.send("K")
  await eventually(() => expect(client.text).toBe("OK"))
  await clock.advanceAsync(1_000)
  expect(await client.ended).toBe("fin")
})

test("what is still to be written when a client ends its side is written before its connection ends", async () => {
  const clock = new FakeClock()
  const { tunnel, devices, connect } = await startTestTunnel({}, { clock })
  devices.drainsItself = false
  const client = await connect()
  client.socket.end("long")
  await eventually(() => expect(devices.sessions).toHaveLength(1))
  await clock.advanceAsync(60_000)
  expect(tunnel.state().clientCount).toBe(1)
  devices.sessions[0]!.drain()
  await eventually(() => expect(tunnel.state().totals.fromClients).toBe(4))
  await eventually(() => expect(clock.pendingTimers).toBe(1))
  await clock.advanceAsync(1_000)
  expect(await client.ended).toBe("fin")
})

test("a client whose bytes somebody else's lease refuses is reset; the others stay", async () => {
  const { tunnel, devices, connect } = await startTestTunnel()
  devices.drainsItself = false
  const [client, watcher] = [await connect(), await connect()]
  client.socket.write("reboot")
  await eventually(() => expect(devices.sessions).toHaveLength(1))
  devices.sessions[0]!.refuse(new AppError("leased", "somebody has it"))
  expect(await client.ended).toBe("reset")
  await eventually(() =>
    expect(tunnel.state()).toMatchObject({ clientCount: 1, totals: { refusedBytes: 6 } }),
  )
  devices.send("ok")
  await eventually(() => expect(watcher.text).toBe("ok"))
})

test("an unplug resets clients of which bytes were not written; who only reads stays, also through a replug", async () => {
  const { tunnel, devices, connect } = await startTestTunnel()
  devices.drainsItself = false
  const [cut, late, reader] = [await connect(), await connect(), await connect()]
  await eventually(() => expect(tunnel.state().clientCount).toBe(3))
  cut.socket.write("half a job")
  await eventually(() => expect(devices.sessions).toHaveLength(1))
  devices.unplug()
  devices.sessions[0]!.refuse(new AppError("aborted", "the device went away"))
  expect(await cut.ended).toBe("reset")
  late.socket.write("more")
  expect(await late.ended).toBe("reset")
  devices.replug()
  devices.send("hello again")
  await eventually(() => expect(reader.text).toBe("hello again"))
  expect(tunnel.state()).toMatchObject({ clientCount: 1, totals: { fromClients: 0, refusedBytes: 14 } })
})

test("with onUnplug: close who has bytes on their way is reset; the others get the end", async () => {
  const { devices, tunnel, connect } = await startTestTunnel({ onUnplug: "close" })
  devices.drainsItself = false
  const [writer, reader] = [await connect(), await connect()]
  await eventually(() => expect(tunnel.state().clientCount).toBe(2))
  writer.socket.write("half a job")
  await eventually(() => expect(devices.sessions).toHaveLength(1))
  devices.unplug()
  expect(await writer.ended).toBe("reset")
  expect(await reader.ended).toBe("fin")
})

test("a client that is behind what is kept is reset, because TCP cannot say that bytes are missing", async () => {
  const { tunnel, devices, connect } = await startTestTunnel()
  const client = await connect()
  await eventually(() => expect(tunnel.state().clientCount).toBe(1))
  devices.send("before")
  await eventually(() => expect(client.text).toBe("before"))
  devices.sendEvicted()
  devices.send("after")
  expect(await client.ended).toBe("reset")
  expect(client.text).toBe("before")
})

test("a device that nobody has announced yet is waited for by who reads; who writes is reset", async () => {
  const { tunnel, devices, connect } = await startTestTunnel(
    {},
    { devices: new PlayedDevices({ isKnown: false }) },
  )
  const client = await connect()
  expect(tunnel.state().problem).toMatchObject({ code: "unknown_device" })
  const writer = await connect()
  writer.socket.write("lost")
  expect(await writer.ended).toBe("reset")
  expect(tunnel.state().totals.refusedBytes).toBe(4)
  devices.setState({})
  expect(tunnel.state().problem).toBeNull()
  await new Promise(setImmediate)
  devices.send("hello")
  await eventually(() => expect(client.text).toBe("hello"))
})

test("with onUnplug: close a slow client still gets all that was sent before the unplug, then the end", async () => {
  const { tunnel, devices, connect } = await startTestTunnel({ onUnplug: "close" })
  const client = await connect()
  await eventually(() => expect(tunnel.state().clientCount).toBe(1))
  client.socket.pause()
  const block = "x".repeat(60_000)
  for (let times = 0; times < 300; times++) devices.send(block)
  devices.unplug()
  client.socket.resume()
  expect(await client.ended).toBe("fin")
  expect(client.text.length).toBe(300 * block.length)
  expect(tunnel.state().problem).toMatchObject({ code: "open_failed" })
  const early = await connect()
  expect(await early.ended).toBe("fin")
})

test("with onUnplug: close the end comes too when the agent is gone and nothing follows in the stream", async () => {
  const clock = new FakeClock()
  const { tunnel, devices, connect } = await startTestTunnel({ onUnplug: "close" }, { clock })
  const client = await connect()
  await eventually(() => expect(tunnel.state().clientCount).toBe(1))
  devices.setState({ online: false, problem: { code: "device_offline", message: "no agent" } })
  await clock.advanceAsync(2_000)
  expect(await client.ended).toBe("fin")
})

test("a client that never reads holds one event in memory, and is ended by the idle time", async () => {
  const clock = new FakeClock()
  const { tunnel, devices, connect } = await startTestTunnel({ idleTimeoutMs: 60_000 }, { clock })
  const client = await connect()
  client.socket.pause()
  await eventually(() => expect(tunnel.state().clientCount).toBe(1))
  const block = "x".repeat(60_000)
  for (let times = 0; times < 300; times++) devices.send(block)
  let pulled = -1
  await eventually(() => {
    const before = pulled
    pulled = devices.pulledBytes
    expect([pulled, pulled > 0]).toEqual([before, true])
  })
  expect(pulled).toBeLessThan(300 * block.length)
  expect(pulled - tunnel.state().totals.toClients).toBe(block.length)
  await clock.advanceAsync(60_000)
  await clock.advanceAsync(1_000)
  await eventually(() => expect(tunnel.state().clientCount).toBe(0))
})

test("a taken port is refused with the tunnel's name, and leaves no listener behind", async () => {
  const { tunnel, devices } = await startTestTunnel()
  const before = devices.listeners
  const second = startTestTunnel({ listen: { host: "127.0.0.1", port: tunnel.address!.port } }, { devices })
  await expect(second).rejects.toMatchObject({
    code: "listen_failed",
    message: `Port ${tunnel.address!.port} (raw tunnel of local/uno) is in use by another program.`,
  })
  expect(devices.listeners).toBe(before)
})

test("a stop ends every client within 2 s, one that never reads and one whose bytes nobody takes included", async () => {
  const { tunnel, devices, connect } = await startTestTunnel()
  devices.drainsItself = false
  const clients = await Promise.all([connect(), connect(), connect()])
  await eventually(() => expect(tunnel.state().clientCount).toBe(3))
  clients[0]!.socket.pause()
  for (let times = 0; times < 300; times++) devices.send("x".repeat(60_000))
  clients[1]!.socket.write("never written")
  await eventually(() => expect(devices.sessions).toHaveLength(1))
  const startMs = performance.now()
  await tunnel.stop()
  expect(performance.now() - startMs).toBeLessThan(2_500)
  expect(devices.listeners).toBe(0)
  expect(tunnel.state()).toMatchObject({ clientCount: 0, totals: { refusedBytes: 13 } })
  // Not all of it was written, which FIN would hide.
  expect(await Promise.all([clients[1]!.ended, clients[2]!.ended])).toEqual(["reset", "fin"])
  await expect(connectClient(tunnel.address!.port)).rejects.toThrow("ECONNREFUSED")
})

test("a stop is over within 2 s when nobody answers any more, whatever is waited for", async () => {
  const { tunnel, devices, connect } = await startTestTunnel()
  devices.drainsItself = false
  const [waiting, writing] = [await connect(), await connect()]
  waiting.socket.end("its end waits for the device")
  await eventually(() => expect(devices.sessions).toHaveLength(1))
  writing.socket.write("never written")
  await eventually(() => expect(devices.sessions).toHaveLength(2))
  devices.isDeaf = true
  const startMs = performance.now()
  await tunnel.stop()
  expect(performance.now() - startMs).toBeLessThan(2_500)
  expect(devices.listeners).toBe(0)
  expect(tunnel.state().totals).toMatchObject({ fromClients: 0, refusedBytes: 41 })
})

test("a device that goes on sending does not cut off a connection that is being ended", async () => {
  const clock = new FakeClock()
  const { tunnel, devices, connect } = await startTestTunnel({ idleTimeoutMs: 60_000 }, { clock })
  const client = await connect()
  client.socket.removeAllListeners("end")
  await eventually(() => expect(tunnel.state().clientCount).toBe(1))
  const ended = once(client.socket, "end")
  clock.advance(60_000)
  await ended
  devices.send("too late")
  await new Promise(setImmediate)
  client.socket.write("in time")
  await eventually(() => expect(tunnel.state().totals.fromClients).toBe(7))
  expect(tunnel.state().totals.toClients).toBe(0)
  clock.advance(1_000)
  await eventually(() => expect(tunnel.state().clientCount).toBe(0))
})
