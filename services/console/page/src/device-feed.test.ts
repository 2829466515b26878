import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { encodeBytesFrame, encodeServerMessage, type ServerMessage } from "../../src/wire/frames.ts"
import { DeviceFeed, type FeedView } from "./device-feed.ts"
import { FakeSocket } from "./fake-socket.ts"

const epoch = "00000000000000aa"
const newEpoch = "00000000000000bb"
const ascii = (text: string) => new TextEncoder().encode(text)

function openFeed({ startsPaused = false } = {}) {
  const clock = new FakeClock()
  const sockets: FakeSocket[] = []
  const shown: string[] = []
  const views: FeedView[] = []
  const feed = new DeviceFeed({
    clock,
    startsPaused,
    openSocket(from) {
      const socket = new FakeSocket(from)
      sockets.push(socket)
      return socket
    },
    onBytes: (bytes) => shown.push(new TextDecoder().decode(bytes)),
    onNotice: (text) => shown.push(`[${text}]`),
    onChange: (view) => views.push(view),
  })
  const socket = () => sockets.at(-1)!
  const tell = (message: ServerMessage) => socket().receive(encodeServerMessage(message))
  return {
    feed,
    clock,
    sockets,
    socket,
    shown,
    view: () => views.at(-1)!,
    tell,
    open: (cursor = `${epoch}-0`) => tell({ type: "open", epoch: cursor.slice(0, 16), cursor, state: null }),
    bytes: (offset: number, text: string) =>
      socket().receive(encodeBytesFrame({ offset, bytes: ascii(text) }).buffer),
  }
}

test("a terminal starts with what the device sent last", () => {
  const { socket } = openFeed()
  expect(socket().from).toBe("-16384")
})

test("a connection that broke goes on at the byte after the last one", () => {
  const { open, bytes, socket, clock, sockets, shown, view } = openFeed()
  open(`${epoch}-5`)
  bytes(5, "hello")
  socket().break()
  expect(view().status).toBe("waiting")
  clock.advance(250)
  expect(sockets).toHaveLength(2)
  expect(socket().from).toBe(`${epoch}-10`)
  open(`${epoch}-10`)
  bytes(10, " world")
  expect(shown).toEqual(["hello", " world"])
  expect(view()).toMatchObject({ status: "open", offset: 16, receivedBytes: 11 })
})

test("the place is past a mark and a gap as well, and in the epoch that was announced", () => {
  const { open, bytes, tell, socket, clock } = openFeed()
  open()
  tell({ type: "mark", cursor: `${epoch}-0.1`, timeUs: 1, mark: { n: 0, kind: "opened", open: 2 } })
  socket().break()
  clock.advance(250)
  expect(socket().from).toBe(`${epoch}-0.1`)
  open(`${epoch}-0.1`)
  const gap = { from: `${epoch}-0`, to: `${newEpoch}-4`, bytes: null, reason: "evicted" } as const
  tell({ type: "gap", cursor: `${newEpoch}-4`, gap })
  tell({ type: "epoch", epoch: newEpoch, cursor: `${newEpoch}-4` })
  bytes(4, "ab")
  socket().break()
  clock.advance(500)
  expect(socket().from).toBe(`${newEpoch}-6`)
})

test("while the gateway's agent is away the feed says so, and starts when it is back", () => {
  const { tell, bytes, shown, view, socket, clock } = openFeed()
  tell({ type: "open", epoch: null, cursor: null, state: null })
  expect(view()).toMatchObject({ status: "open", isAgentAway: true, offset: null })
  socket().break()
  clock.advance(250)
  expect(socket().from).toBe("-16384")
  tell({ type: "open", epoch: null, cursor: null, state: null })
  tell({ type: "epoch", epoch, cursor: `${epoch}-5` })
  bytes(5, "hello")
  expect(view()).toMatchObject({ status: "open", isAgentAway: false, offset: 10 })
  expect(shown).toEqual(["hello"])
})

test("gaps are shown in the page's words, not the device's", () => {
  const { open, tell, shown } = openFeed()
  open()
  const gap = { from: `${epoch}-0`, to: `${epoch}-9`, bytes: 9, reason: "evicted" } as const
  tell({ type: "gap", cursor: `${epoch}-9`, gap })
  expect(shown).toEqual(["[9 bytes are missing here: they are no longer kept]"])
})

test("a device with a new journal starts again with its recent output", () => {
  const { open, tell, socket, clock } = openFeed()
  open()
  tell({ type: "error", code: "bad_cursor", message: "No such place." })
  socket().break()
  clock.advance(250)
  expect(socket().from).toBe("-16384")
})

test("pausing lets go of the connection and loses nothing", () => {
  const { feed, open, bytes, socket, sockets, shown, clock, view } = openFeed()
  open()
  bytes(0, "one")
  feed.pause()
  expect([socket().isClosed, view().status]).toEqual([true, "paused"])
  // What was on its way comes again.
  bytes(3, "two")
  clock.advance(60_000)
  expect(sockets).toHaveLength(1)
  feed.resume()
  expect(socket().from).toBe(`${epoch}-3`)
  open(`${epoch}-3`)
  bytes(3, "two")
  expect(shown).toEqual(["one", "two"])
})

test("resuming a feed that is not paused changes nothing, also when it is closed", () => {
  const { feed, open, bytes, sockets, shown } = openFeed()
  feed.resume()
  open()
  feed.resume()
  bytes(0, "one")
  expect([sockets.length, shown]).toEqual([1, ["one"]])
  feed.pause()
  feed.close()
  feed.resume()
  expect([sockets.length, sockets[0]?.isClosed]).toEqual([1, true])
})

test("a feed that starts paused opens its connection when it is resumed", () => {
  const { feed, sockets, socket, view, clock } = openFeed({ startsPaused: true })
  clock.advance(60_000)
  expect([sockets.length, view().status]).toEqual([0, "paused"])
  feed.resume()
  expect([sockets.length, socket().from, view().status]).toEqual([1, "-16384", "connecting"])
})

test("a write is pending until its answer, and a refusal is told", () => {
  const { feed, open, tell, socket, view } = openFeed()
  open()
  feed.write(ascii("a"))
  feed.write(ascii("b"))
  expect(socket().sent).toEqual([ascii("a"), ascii("b")])
  expect(view().pendingWrites).toBe(2)
  tell({ type: "receipt", id: "1", bytes: 1, from: `${epoch}-0`, to: `${epoch}-1`, drainedUs: 1 })
  expect(view()).toMatchObject({ pendingWrites: 1, writeProblem: "" })
  tell({ type: "error", id: "2", code: "device_offline", message: "local/uno is offline." })
  expect(view()).toMatchObject({ pendingWrites: 0, writeProblem: "Not sent: local/uno is offline." })
})

test("what is typed without a connection is refused at once, never sent later", () => {
  const { feed, open, socket, clock, view } = openFeed()
  open()
  socket().break()
  feed.write(ascii("rm -rf"))
  expect(view().writeProblem).toBe("Not sent: there is no connection.")
  clock.advance(250)
  open()
  expect(socket().sent).toEqual([])
})

test("writes whose answer was lost with the connection are told", () => {
  const { feed, open, socket, view } = openFeed()
  open()
  feed.write(ascii("a"))
  socket().break()
  expect(view()).toMatchObject({
    pendingWrites: 0,
    writeProblem: "The last write was not answered; it may not have arrived.",
  })
})

test("what a program says to the device, and it answers, is not on the terminal; what it is about is", () => {
  const { open, bytes, tell, shown, view } = openFeed()
  open()
  bytes(0, ">>> ")
  const lease = { holder: "ann", purpose: "put main.py" }
  tell({ type: "mark", cursor: `${epoch}-4.1`, timeUs: 0, mark: { n: 0, kind: "leased", ...lease } })
  bytes(4, "raw REPL\r\n>>> ")
  const released = { n: 0, kind: "released", ...lease, reason: "released" } as const
  tell({ type: "mark", cursor: `${epoch}-18.1`, timeUs: 0, mark: released })
  bytes(18, "1")
  expect(shown).toEqual([">>> ", "[ann: put main.py …]", "[ann: put main.py, done]", ">>> ", "1"])
  expect(view()).toMatchObject({ offset: 19, receivedBytes: 19 })
})

test("attempts that fail come further and further apart, up to ten seconds", () => {
  const { sockets, socket, clock } = openFeed()
  for (let attempt = 1; attempt < 8; attempt++) {
    socket().break()
    while (sockets.length === attempt) clock.advance(50)
  }
  socket().break()
  clock.advance(4_999)
  expect(sockets).toHaveLength(8)
  clock.advance(5_001)
  expect(sockets).toHaveLength(9)
})

test("a closed feed opens no more connections", () => {
  const { feed, open, socket, sockets, clock } = openFeed()
  open()
  socket().break()
  feed.close()
  clock.advance(60_000)
  expect(sockets).toHaveLength(1)
})
