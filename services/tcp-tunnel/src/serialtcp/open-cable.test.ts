import { PassThrough } from "node:stream"
import { createDeferred } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import type { IdleWatchOptions } from "../clients/idle-watch.ts"
import type { CableConnection } from "./cable-connection.ts"
import type { LineWriter } from "./line-writer.ts"
import { OpenCable, type TcpSide } from "./open-cable.ts"

const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"))
const settle = () => new Promise(setImmediate)

/** A TCP connection in memory, and what is done with it. */
function playConnection({ isClosed = false } = {}) {
  const done: string[] = []
  const closing = new AbortController()
  if (isClosed) closing.abort()
  const told = { isReading: true, onIdle: () => {}, refused: 0 }
  const socket = new PassThrough()
  const connection = {
    socket,
    record: { countRefused: (bytes: number) => void (told.refused += bytes), countFromClient: () => {} },
    closed: closing.signal,
    watch: ({ onIdle }: IdleWatchOptions) => void (told.onIdle = onIdle),
    moved: () => {},
    room: async () => (told.isReading ? "room" : "stalled"),
    deliver: (bytes: Uint8Array) => void done.push(`deliver ${Buffer.from(bytes).toString("latin1")}`),
    end: () => void done.push("end"),
    reset: () => void done.push("reset"),
  }
  // A test plays those members that the cable uses.
  return {
    connection: connection as unknown as CableConnection,
    socket,
    told,
    done,
    close: () => closing.abort(),
  }
}

/** An end whose far end is there and idle. */
async function startCable(tcp: TcpSide) {
  const written: string[] = []
  const reports: string[] = []
  const taken = { gate: Promise.resolve(), drained: createDeferred<void>() }
  const line = {
    isBusy: false,
    write: (bytes: Uint8Array) => (written.push(Buffer.from(bytes).toString("latin1")), taken.gate),
    discard: () => {},
    drained: () => taken.drained.promise,
  }
  const clock = new FakeClock()
  const cable = new OpenCable({
    end: { silenceMs: 20, graceMs: 0 },
    tcp,
    // As above.
    line: line as unknown as LineWriter,
    clock,
    onReport: (report) => reports.push(report.kind === "closed" ? `closed ${report.reason}` : report.kind),
    onPhase: () => {},
  })
  const far = (text: string) => cable.receive(bytesOf(text), new AbortController().signal)
  cable.start()
  await far(tcp.role === "server" ? "\x1f\xc1\x1f\xc2\x1f\xc3" : "\x1f\xe1\x1f\xe2\x1f\xe3")
  const clear = () => [written, reports].map((list) => list.splice(0))
  clear()
  return { cable, clock, far, written, reports, taken, clear }
}

/** The client's end, dialling: `dialled` is what becomes of it. */
async function startDialling() {
  const dialled = createDeferred<CableConnection>()
  const aborted: boolean[] = []
  const dial = (signal: AbortSignal) => {
    signal.addEventListener("abort", () => aborted.push(true))
    return dialled.promise
  }
  const started = await startCable({ role: "client", dial })
  await started.far("\x1fC")
  expect(started.cable.phase).toBe("dialing")
  return { ...started, dialled, aborted }
}

async function startAttached() {
  const started = await startDialling()
  const played = playConnection()
  started.dialled.resolve(played.connection)
  await settle()
  await started.far("\x1fs")
  expect(started.clear()).toEqual([["\x1fc\x1fs"], ["opened"]])
  return { ...started, ...played }
}

test("a client that waits is accepted; one that has left breaks it off", async () => {
  for (const isThere of [true, false]) {
    const { connection } = playConnection()
    let waiting = 0
    const accept = () => (isThere ? connection : null)
    const { cable, written, reports } = await startCable({ role: "server", waiting: () => waiting, accept })
    waiting = 1
    cable.clientsWaited()
    await settle()
    expect([written[0], cable.phase]).toEqual(["\x1fC", isThere ? "calling" : "syncing"])
    expect(reports).toEqual(isThere ? [] : ["closed broken"])
  }
})

test("a target that is reached is attached; one that has closed by then breaks it off", async () => {
  for (const isClosed of [false, true]) {
    const { clock, dialled, taken, reports, written } = await startDialling()
    dialled.resolve(playConnection({ isClosed }).connection)
    await settle()
    taken.drained.resolve()
    await clock.advanceAsync(20)
    expect([written[0], reports]).toEqual(["\x1fc\x1fs", isClosed ? ["opened", "closed broken"] : ["opened"]])
  }
})

test("a target that is not reached is told", async () => {
  const { dialled, written, reports } = await startDialling()
  dialled.reject(new Error("refused"))
  await settle()
  expect([written[0], reports]).toEqual(["\x1fF", ["closed refused"]])
})

test("what is reached after the far end has left is reset", async () => {
  const { far, dialled, aborted, reports } = await startDialling()
  await far("\x1fD")
  const { connection, done } = playConnection()
  dialled.resolve(connection)
  await settle()
  expect([aborted, done, reports]).toEqual([[true], ["reset"], ["closed farEnded"]])
})

test.each<[string, (attached: Awaited<ReturnType<typeof startAttached>>) => unknown]>([
  ["closes", ({ close }) => close()],
  ["is idle", ({ told }) => told.onIdle()],
  ["does not take what the line brings", ({ told, far }) => ((told.isReading = false), far("x"))],
])("a connection that %s is broken off when the line is drained", async (_, happen) => {
  const attached = await startAttached()
  const { clock, taken, reports, done } = attached
  await happen(attached)
  await clock.advanceAsync(1_000)
  expect(reports).toEqual([])
  taken.drained.resolve()
  await clock.advanceAsync(20)
  expect([reports, done.at(-1)]).toEqual([["closed broken"], "reset"])
})

test("the next piece of TCP is read when the line has taken the one before; its end is told", async () => {
  const { clock, socket, taken, written, reports, done } = await startAttached()
  const gate = createDeferred<void>()
  taken.gate = gate.promise
  socket.write("one")
  await settle()
  socket.write("two")
  await settle()
  expect(written).toEqual(["one"])
  gate.resolve()
  await settle()
  expect(written).toEqual(["one", "two"])
  socket.end()
  await settle()
  taken.drained.resolve()
  await clock.advanceAsync(20)
  expect([written[2], reports, done]).toEqual(["\x1fD", ["closed ended"], ["end"]])
})

test("after the far end's disconnect what TCP brings is counted as refused", async () => {
  const { socket, far, told, written, done, reports } = await startAttached()
  await far("last\x1fD\x1fD\x1fD\x1f\xe0")
  expect([done, reports]).toEqual([["deliver last", "end"], ["closed farEnded"]])
  written.splice(0)
  socket.write("late")
  await settle()
  expect([told.refused, written]).toEqual([4, []])
})
