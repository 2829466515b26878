import { AppError } from "@serialcast/contract"
import { concatBytes } from "@serialcast/primitives"
import { eventually } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { getRequest, putRequest, request, versionRequest } from "../testing/file-requests.ts"
import { hex, serveFiles } from "../testing/serve-files.ts"

const ok = "574200 00".replace(" ", "")
const counting = (size: number) => Uint8Array.from({ length: size }, (_, index) => (index * 7) & 0xff)

test("the version is three bytes in one frame, without a response", async () => {
  const { server, frames } = serveFiles()
  await server.push(versionRequest())
  await eventually(() => expect(frames()).toEqual(["011d03"]))
})

test.each([0, 1, 255, 256, 257, 1_024, 1_025, 100_000])(
  "a file of %d bytes is put with two responses, in frames of 1024 as the clients send them",
  async (size) => {
    const { server, board, frames } = serveFiles()
    const file = counting(size)
    const head = putRequest("main.py", size)
    // The command-line client sends the request in two frames.
    await server.push(head.subarray(0, 10))
    await server.push(head.subarray(10))
    for (let at = 0; at < size; at += 1_024) await server.push(file.subarray(at, at + 1_024))
    await eventually(() => expect(frames()).toEqual([ok, ok]))
    expect(board.files.get("main.py")).toEqual(file)
  },
)

test("a program that was interrupted for it is told", async () => {
  const { server, board, told } = serveFiles()
  board.found = "program"
  await server.push(putRequest("main.py", 0))
  await eventually(() => expect(told).toEqual(["interrupted"]))
})

test("the first response of a put comes before its bytes do", async () => {
  const { server, frames, transfers } = serveFiles()
  await server.push(putRequest("main.py", 10))
  await eventually(() => expect(frames()).toEqual([ok]))
  expect(transfers.isRunning).toBe(true)
  await server.push(counting(10))
  await eventually(() => expect(frames()).toEqual([ok, ok]))
  expect(transfers.isRunning).toBe(false)
})

test.each([0, 1, 255, 256, 257, 512, 1_025, 100_000])(
  "a file of %d bytes is got in chunks of 256, one for each byte that is sent, and an empty one",
  async (size) => {
    const { server, board, sent, frames, came } = serveFiles()
    board.files.set("boot.py", counting(size))
    await server.push(getRequest("boot.py"))
    await eventually(() => expect(frames()).toEqual([ok]))
    const chunks = Math.floor(size / 256) + (size % 256 > 0 ? 1 : 0)
    for (let chunk = 0; chunk <= chunks; chunk++) {
      await server.push(Uint8Array.of(chunk === 0 ? 0 : 0xff))
      while (sent.length < 2 + chunk) await came.wait()
    }
    await eventually(() => expect(frames().slice(-2)).toEqual(["0000", ok]))
    const pieces = sent.slice(1, -2)
    expect(pieces.every((piece, at) => piece.byteLength === 258 || at === pieces.length - 1)).toBe(true)
    expect(pieces.every((piece) => ((piece[1] ?? 0) << 8) + (piece[0] ?? 0) === piece.byteLength - 2)).toBe(
      true,
    )
    expect(concatBytes(pieces.map((piece) => piece.subarray(2)))).toEqual(counting(size))
  },
)

test("requests and wishes in one piece are served one after the other", async () => {
  const { server, board, frames } = serveFiles()
  board.files.set("a", counting(256))
  await server.push(
    concatBytes([
      getRequest("a"),
      Uint8Array.of(0, 0),
      putRequest("b", 3),
      counting(3),
      versionRequest(),
      getRequest("b"),
      Uint8Array.of(0, 0),
    ]),
  )
  await eventually(() =>
    expect(frames()).toEqual([
      ok,
      `0001${hex(counting(256))}`,
      "0000",
      ok,
      ok,
      ok,
      "011d03",
      ok,
      "030000070e",
      "0000",
      ok,
    ]),
  )
})

test("a type that there is not gets a code, a reason, and the next request its answer", async () => {
  const { server, frames, told } = serveFiles()
  await server.push(concatBytes([request({ type: 9, name: "x" }), versionRequest()]))
  await eventually(() => expect(frames()).toEqual(["57421600", "011d03"]))
  expect(told).toEqual(["request. Expected a request of type 1 to 5; found 9."])
})

const failed = new AppError("device_offline", "The board is gone.")
const code = "57421300"

test.each([-1, 0])(
  "a put that fails before it begins (%d) ends with its first response, and nothing of it follows",
  async (bytes) => {
    const { server, board, frames, told } = serveFiles("first-response")
    board.failsAt = { bytes, error: failed }
    await server.push(putRequest("main.py", 1_000))
    await eventually(() => expect(frames()).toEqual([code]))
    await server.push(versionRequest())
    await eventually(() => expect(frames()).toEqual([code, "011d03"]))
    expect(told).toEqual(["put main.py. The board is gone."])
  },
)

test.each([
  ["before it begins, for the page", "final-response", 0],
  ["in its middle, for the page", "final-response", 500],
  ["in its middle, for the command line", "first-response", 500],
] as const)(
  "a put that fails %s swallows what was announced, and ends with its final response",
  async (_what, place, bytes) => {
    const { server, board, frames } = serveFiles(place)
    board.failsAt = { bytes, error: failed }
    const file = counting(3_000)
    await server.push(putRequest("main.py", file.byteLength))
    await eventually(() => expect(frames()).toEqual([ok]))
    for (let at = 0; at < file.byteLength; at += 1_000) await server.push(file.subarray(at, at + 1_000))
    await server.push(versionRequest())
    await eventually(() => expect(frames()).toEqual([ok, code, "011d03"]))
  },
)

test("a get of what is not there ends with its first response for the command line", async () => {
  const { server, frames, told } = serveFiles("first-response")
  await server.push(concatBytes([getRequest("nothing.py"), versionRequest()]))
  await eventually(() => expect(frames()).toEqual(["57421600", "011d03"]))
  expect(told).toEqual(["get nothing.py. There is no file nothing.py on the board."])
})

test("a get of what is not there is an empty file with a final code for the page", async () => {
  const { server, frames } = serveFiles("final-response")
  await server.push(getRequest("nothing.py"))
  await eventually(() => expect(frames()).toEqual([ok]))
  await server.push(Uint8Array.of(0))
  await server.push(versionRequest())
  await eventually(() => expect(frames()).toEqual([ok, "0000", "57421600", "011d03"]))
})

test("a get that fails in its middle ends with an empty chunk and its code", async () => {
  const { server, board, frames } = serveFiles()
  board.files.set("a", counting(3_000))
  board.failsAt = { bytes: 1_000, error: failed }
  await server.push(concatBytes([getRequest("a"), new Uint8Array(4), versionRequest()]))
  await eventually(() => expect(frames().slice(-3)).toEqual(["0000", code, "011d03"]))
  expect(frames().length).toBe(1 + 3 + 3)
})

test("a client that leaves in the middle of a put leaves the file that was there", async () => {
  const { server, board, gone, running, frames, transfers } = serveFiles()
  board.files.set("main.py", counting(5))
  await server.push(putRequest("main.py", 1_000))
  await server.push(counting(500))
  await eventually(() => expect(frames()).toEqual([ok]))
  gone.abort()
  await running
  expect(board.files.get("main.py")).toEqual(counting(5))
  expect(transfers.isRunning).toBe(false)
})

test("a client that leaves while somebody else has the board does not wait for it", async () => {
  const { server, board, gone, running, transfers } = serveFiles()
  board.busy = new Promise(() => {})
  await server.push(putRequest("main.py", 1_000))
  await eventually(() => expect(transfers.isRunning).toBe(true))
  gone.abort()
  await running
  expect([board.uses, transfers.isRunning]).toEqual([[], false])
})

test.each([
  ["put", putRequest("a", 1_000), counting(500), counting(500)],
  ["get", getRequest("a"), Uint8Array.of(0), Uint8Array.of(0)],
])(
  "a client that stops in the middle of a %s gives the board to others, and finds its place when it goes on",
  async (_what, asked, some, rest) => {
    const { server, board, clock, frames, told, transfers } = serveFiles()
    board.files.set("a", counting(1_000))
    await server.push(asked)
    await eventually(() => expect(frames()).toEqual([ok]))
    await server.push(some)
    await clock.advanceAsync(59_000)
    expect(transfers.isRunning).toBe(true)
    await clock.advanceAsync(1_000)
    await eventually(() => expect(transfers.isRunning).toBe(false))
    expect(told).toEqual([
      expect.stringContaining("The client sent and took nothing for 60 s; others may have the board."),
    ])
    await server.push(concatBytes([rest, versionRequest()]))
    await eventually(() => expect(frames().slice(-2)).toEqual(["57426e00", "011d03"]))
    expect(board.files.get("a")).toEqual(counting(1_000))
  },
)

test("a client that takes nothing of a get gives the board to others", async () => {
  const { server, board, clock, transfers, congest } = serveFiles()
  board.files.set("a", counting(1_000))
  congest()
  await server.push(concatBytes([getRequest("a"), Uint8Array.of(0)]))
  await clock.advanceAsync(59_000)
  expect(transfers.isRunning).toBe(true)
  await clock.advanceAsync(1_000)
  await eventually(() => expect(transfers.isRunning).toBe(false))
})

test("a client that sends faster than the board takes has to wait", async () => {
  const { server, board, frames, gone } = serveFiles()
  let take = () => {}
  const taken = new Promise<void>((resolve) => {
    take = resolve
  })
  board.put = async (_path, { bytes }) => {
    for await (const _piece of bytes) await taken
  }
  await server.push(putRequest("big", 1_000_000))
  await eventually(() => expect(frames()).toEqual([ok]))
  let pushed = 0
  const pushing = (async () => {
    while (pushed < 1_000_000 && !gone.signal.aborted) {
      await server.push(counting(1_000))
      pushed += 1_000
    }
  })()
  await eventually(() => expect(pushed).toBeGreaterThan(10_000))
  await new Promise((resolve) => setImmediate(resolve))
  expect(pushed).toBeLessThan(200_000)
  take()
  await pushing
  await eventually(() => expect(frames()).toEqual([ok, ok]))
})
