import { createWakeup } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { keepPagesOut } from "./keep-pages-out.ts"

/** A connection on which a test sends segments. */
function setUp() {
  const clock = new FakeClock()
  const queue: Uint8Array[] = []
  const news = createWakeup()
  const state = { isEnded: false, isLeft: false, refused: -1, text: "" }
  async function* segments(): AsyncGenerator<Uint8Array, void> {
    try {
      for (;;) {
        const next = queue.shift()
        if (next !== undefined) yield next
        else if (state.isEnded) return
        else await news.wait()
      }
    } finally {
      state.isLeft = true
    }
  }
  const onPage = (bytes: number) => {
    state.refused = bytes
  }
  const reading = (async () => {
    for await (const bytes of keepPagesOut(segments(), { clock, onPage }))
      state.text += Buffer.from(bytes).toString("latin1")
  })()
  const turn = () => new Promise(setImmediate)
  const send = async (text: string) => {
    queue.push(Buffer.from(text, "latin1"))
    news.wake()
    await turn()
  }
  const end = async () => {
    state.isEnded = true
    news.wake()
    await reading
  }
  return { clock, state, reading, send, end }
}

test("what no browser sends goes on at once, and nothing that follows is looked at", async () => {
  const { state, send, clock } = setUp()
  await send("AT\r")
  expect(state.text).toBe("AT\r")
  await send("GET / HTTP/1.1\r\n")
  expect([state.text, state.refused, clock.pendingTimers]).toEqual(["AT\rGET / HTTP/1.1\r\n", -1, 0])
})

test("nothing of a request is delivered, in however many packets it comes", async () => {
  const { state, send, clock, reading } = setUp()
  const [line, rest] = ["POST /reboot HTTP/", "1.1\r\nHost: 127.0.0.1\r\n\r\nreboot\r\n"]
  for (const letter of line) {
    await send(letter)
    await clock.advanceAsync(249)
  }
  await send(rest)
  await reading
  expect(state).toMatchObject({ text: "", refused: line.length + rest.length, isLeft: true })
})

test("a path whose rest is lost on the way is waited for", async () => {
  const { state, send, clock } = setUp()
  await send("GET /reboot")
  await clock.advanceAsync(1_999)
  expect(state.text).toBe("")
  await send(" HTTP/1.1\r\n")
  expect(state).toMatchObject({ text: "", refused: 22 })
})

test("a first letter goes on a quarter of a second later, and those behind it at once", async () => {
  const { state, send, clock } = setUp()
  await send("H")
  await clock.advanceAsync(249)
  expect(state.text).toBe("")
  await clock.advanceAsync(1)
  expect(state.text).toBe("H")
  for (const letter of "ELP ") await send(letter)
  expect(state.text).toBe("HELP ")
})

test("a control character that might begin a packet of a browser goes on 50 ms later", async () => {
  const { state, send, clock } = setUp()
  await send("\x03")
  await clock.advanceAsync(49)
  expect(state.text).toBe("")
  await clock.advanceAsync(1)
  expect(state.text).toBe("\x03")
})

test("a request that is slower than that gets no further than its first line", async () => {
  const { state, send, clock, reading } = setUp()
  for (const part of ["GET", " x"]) {
    await send(part)
    await clock.advanceAsync(300)
  }
  expect(state.text).toBe("GET x")
  await send(" HTTP/1.1\r\nreboot\r\n")
  await reading
  expect(state).toMatchObject({ text: "GET x", refused: 19 })
})

test("one word without an end is held up to 64 KiB", async () => {
  const { state, send } = setUp()
  for (let n = 0; n < 8; n++) await send("U".repeat(8 * 1024))
  expect(state.text).toBe("")
  await send("U")
  expect(state.text).toHaveLength(64 * 1024 + 1)
})

test("what is held when the client ends its side goes on, but for half a path", async () => {
  for (const [text, delivered] of [
    ["H", "H"],
    ["GET /reboot", ""],
  ] as const) {
    const { state, send, end } = setUp()
    await send(text)
    await end()
    expect(state.text).toBe(delivered)
  }
})
