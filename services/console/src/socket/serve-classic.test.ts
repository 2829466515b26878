import { AppError, type Mark } from "@serialcast/contract"
import { createDeferred } from "@serialcast/primitives"
import { eventually, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { testEpoch } from "../testing/fake-devices.ts"
import { startTestConsole } from "../testing/test-console.ts"

const ascii = (text: string) => new TextEncoder().encode(text)

test("the classic console greets, then sends a frame for each line of the default device", async () => {
  await using app = await startTestConsole()
  const client = await app.connect("/ws")
  expect(client.socket.protocol).toBe("")
  expect(await client.text()).toBe("connected")
  app.devices.sendBytes("local/uno", ascii("one\r\ntw"))
  app.devices.sendBytes("local/uno", ascii("o\n"))
  expect([await client.text(), await client.text()]).toEqual(["one\r", "two"])
})

test("text and binary frames are written as they are, with no line end added", async () => {
  await using app = await startTestConsole()
  const written: Uint8Array[] = []
  const client = await app.connect("/ws?device=local/uno")
  const both = new Promise<void>((resolve) => {
    app.devices.onWrite = async (bytes) => {
      if (written.push(bytes) === 2) resolve()
    }
  })
  client.socket.send("Grüße")
  client.socket.send(Uint8Array.of(0, 255))
  await both
  expect(written).toEqual([ascii("Grüße"), Uint8Array.of(0, 255)])
})

test("a prompt comes after a short silence, and a line that goes on in time is whole", async () => {
  const clock = new FakeClock()
  await using app = await startTestConsole({ clock })
  const client = await app.connect("/ws")
  await client.text()
  app.devices.sendBytes("local/uno", ascii("boot\nlog"))
  expect(await client.text()).toBe("boot")
  await clock.advanceAsync(249)
  app.devices.sendBytes("local/uno", ascii("in: "))
  await clock.advanceAsync(249)
  app.devices.sendBytes("local/uno", ascii("?"))
  await clock.advanceAsync(250)
  expect(await client.text()).toBe("login: ?")
})

test("a line that goes on and on comes at most a second after its first byte, and each piece of it again", async () => {
  const clock = new FakeClock()
  await using app = await startTestConsole({ clock })
  const client = await app.connect("/ws")
  await client.text()
  const progress = async (from: number, to: number) => {
    for (let step = from; step < to; step++) {
      app.devices.sendBytes("local/uno", ascii(`\r${step}`))
      await clock.advanceAsync(100)
    }
  }
  await progress(0, 10)
  expect(await client.text()).toBe(Array.from({ length: 10 }, (_, step) => `\r${step}`).join(""))
  await progress(10, 15)
  app.devices.sendBytes("local/uno", ascii(" done\n\r"))
  expect(await client.text()).toBe("\r10\r11\r12\r13\r14 done")
  // The next line's time is its own.
  await clock.advanceAsync(249)
  app.devices.sendBytes("local/uno", ascii("0"))
  await clock.advanceAsync(250)
  expect(await client.text()).toBe("\r0")
})

test("a replug ends the unfinished line", async () => {
  await using app = await startTestConsole()
  const client = await app.connect("/ws")
  await client.text()
  app.devices.sendBytes("local/uno", ascii("hal"))
  app.devices.sendEvent("local/uno", {
    kind: "mark",
    cursor: { epoch: testEpoch, offset: 3, mark: 1 },
    timeUs: 1,
    mark: { n: 0, kind: "closed", reason: "unplugged" },
  })
  app.devices.sendBytes("local/uno", ascii("new\n"))
  expect([await client.text(), await client.text()]).toEqual(["hal", "new"])
})

test("what a program says to the device, and it answers, is one line", async () => {
  await using app = await startTestConsole()
  const client = await app.connect("/ws")
  await client.text()
  const lease = { holder: "ann", purpose: "put main.py" }
  const tell = (mark: Mark) =>
    app.devices.sendEvent("local/uno", {
      kind: "mark",
      cursor: { epoch: testEpoch, offset: 0, mark: 1 },
      timeUs: 1,
      mark,
    })
  tell({ n: 0, kind: "leased", ...lease })
  app.devices.sendBytes("local/uno", ascii("raw REPL\n>>> "))
  tell({ n: 0, kind: "released", ...lease, reason: "released" })
  app.devices.sendBytes("local/uno", ascii("1\n"))
  const lines = [await client.text(), await client.text(), await client.text()]
  expect(lines).toEqual(["-- ann: put main.py …", "-- ann: put main.py, done", ">>> 1"])
})

test("bytes that are gone close the socket, because the protocol cannot say so", async () => {
  await using app = await startTestConsole()
  const client = await app.connect("/ws")
  await client.text()
  app.devices.sendEvent("local/uno", {
    kind: "gap",
    cursor: { epoch: testEpoch, offset: 9, mark: 0 },
    gap: { from: `${testEpoch}-0`, to: `${testEpoch}-9`, bytes: 9, reason: "evicted" },
  })
  expect(await client.closed).toEqual({ code: 1011, reason: "gap: 9 bytes of the device are no longer kept" })
})

test("what nobody could read only ends the line: the socket stays", async () => {
  await using app = await startTestConsole()
  const client = await app.connect("/ws")
  await client.text()
  app.devices.sendBytes("local/uno", ascii("hal"))
  const place = `${testEpoch}-3`
  app.devices.sendEvent("local/uno", {
    kind: "gap",
    cursor: { epoch: testEpoch, offset: 3, mark: 0 },
    gap: { from: place, to: place, bytes: null, reason: "unread" },
  })
  app.devices.sendBytes("local/uno", ascii("new\n"))
  expect([await client.text(), await client.text()]).toEqual(["hal", "new"])
})

test("many writes that are refused at once close the socket once", async () => {
  const clock = new FakeClock()
  await using app = await startTestConsole({ clock })
  const client = await app.connect("/ws")
  await client.text()
  const [refused, heard] = [createDeferred<void>(), createDeferred<void>()]
  app.devices.onWrite = () => {
    heard.resolve()
    return refused.promise
  }
  for (let index = 0; index < 20; index++) client.socket.send("AT")
  await heard.promise
  const timers = clock.pendingTimers
  // The client answers no close.
  client.socket.pause()
  refused.reject(new AppError("device_offline", "local/uno is offline."))
  await eventually(async () =>
    expect(await app.metrics.metrics()).toContain('writes_total{outcome="expired"} 19'),
  )
  const added = clock.pendingTimers - timers
  await clock.advanceAsync(1_000)
  expect(added).toBe(1)
})

test("a write that did not arrive closes the socket with the reason, and those behind it are not done", async () => {
  await using app = await startTestConsole()
  app.devices.onWrite = () => Promise.reject(new AppError("device_offline", "local/uno is offline."))
  const client = await app.connect("/ws")
  client.socket.send("AT")
  client.socket.send("AT+RST")
  expect(await client.closed).toEqual({ code: 1011, reason: "device_offline: local/uno is offline." })
  expect(app.devices.writes.length).toBe(1)
})

test("a start point that is none closes the socket with the reason", async () => {
  await using app = await startTestConsole()
  const client = await app.connect("/ws?from=yesterday")
  expect(await client.closed).toMatchObject({ code: 1008, reason: expect.stringMatching(/^bad_cursor: /) })
})
