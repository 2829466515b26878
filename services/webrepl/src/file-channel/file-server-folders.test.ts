import { AppError } from "@serialcast/contract"
import { concatBytes } from "@serialcast/primitives"
import { eventually } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { listRequest, removeRequest, request, versionRequest } from "../testing/file-requests.ts"
import { hex, serveFiles } from "../testing/serve-files.ts"
import type { FolderDocument } from "./folder-document.ts"

const ok = "57420000"
const wish = Uint8Array.of(0)

test("who sets the first flag gets a fourth byte with the version: there are list and remove", async () => {
  const { server, frames } = serveFiles()
  await server.push(concatBytes([request({ type: 3, flags: 1 }), versionRequest()]))
  await eventually(() => expect(frames()).toEqual(["011d0301", "011d03"]))
})

test.each([
  ["", "/"],
  ["/", "/"],
  ["lib", "/lib"],
  ["//lib/", "/lib"],
])("the folder %j is answered as a get, with a document of %j", async (name, path) => {
  const { server, board, sent, frames } = serveFiles()
  board.files.set("main.py", new Uint8Array(7))
  board.files.set("lib/é.py", new Uint8Array(300))
  await server.push(listRequest(name))
  await eventually(() => expect(frames()).toEqual([ok]))
  await server.push(concatBytes([wish, wish, versionRequest()]))
  await eventually(() => expect(frames().slice(2)).toEqual(["0000", ok, "011d03"]))
  const chunk = sent[1]
  if (chunk === undefined) throw new TypeError("there is no chunk")
  const entries =
    path === "/"
      ? [
          { name: "lib", kind: "directory", size: 0 },
          { name: "main.py", kind: "file", size: 7 },
        ]
      : [{ name: "é.py", kind: "file", size: 300 }]
  const document = new TextEncoder().encode(JSON.stringify({ path, entries, leftOut: 0 }))
  expect(hex(chunk)).toBe(
    `${hex(Uint8Array.of(document.byteLength & 0xff, document.byteLength >> 8))}${hex(document)}`,
  )
})

test("of a folder with thousands of files the first 4,000 come, folders before them, and how many more there are", async () => {
  const { server, board, sent, frames, came } = serveFiles()
  for (let at = 0; at < 5_000; at++) board.files.set(`data-${String(at).padStart(4, "0")}`, new Uint8Array(0))
  board.files.set("lib/x.py", new Uint8Array(0))
  await server.push(listRequest("/"))
  for (let chunks = 1; frames().at(-2) !== "0000"; chunks++) {
    await server.push(wish)
    while (sent.length < 1 + chunks) await came.wait()
    if (frames().at(-1) === "0000") await eventually(() => expect(frames().at(-1)).toBe(ok))
  }
  const pieces = sent.slice(1, -2).map((chunk) => chunk.subarray(2))
  expect(pieces.slice(0, -1).every(({ byteLength }) => byteLength === 8_192)).toBe(true)
  const folder = JSON.parse(new TextDecoder().decode(concatBytes(pieces))) as FolderDocument
  expect(folder.entries.length).toBe(4_000)
  expect(folder.leftOut).toBe(1_001)
  expect(folder.entries.slice(0, 2).map(({ name }) => name)).toEqual(["lib", "data-0000"])
})

const noFolder = "list /none. There is no folder /none on the board."

test("a list of what is not there ends with its first response, or as an empty one with a final code", async () => {
  const early = serveFiles("first-response")
  await early.server.push(concatBytes([listRequest("/none"), versionRequest()]))
  await eventually(() => expect(early.frames()).toEqual(["57420200", "011d03"]))
  expect(early.told).toEqual([noFolder])
  const late = serveFiles("final-response")
  await late.server.push(listRequest("/none"))
  await eventually(() => expect(late.frames()).toEqual([ok]))
  await late.server.push(concatBytes([wish, versionRequest()]))
  await eventually(() => expect(late.frames()).toEqual([ok, "0000", "57420200", "011d03"]))
})

test("a list interrupts a program, which is told, and has the board alone", async () => {
  const { server, board, told, frames, transfers } = serveFiles()
  board.found = "program"
  board.files.set("main.py", new Uint8Array(7))
  await server.push(listRequest(""))
  await eventually(() => expect(frames()).toEqual([ok]))
  expect(transfers.isRunning).toBe(true)
  await server.push(concatBytes([wish, wish]))
  await eventually(() => expect(frames().slice(2)).toEqual(["0000", ok]))
  expect(transfers.isRunning).toBe(false)
  expect(told).toEqual(["interrupted"])
  expect(board.uses).toEqual(["list"])
})

test.each(["first-response", "final-response"] as const)(
  "a remove has one response, whichever it is: %s",
  async (place) => {
    const { server, board, frames, told } = serveFiles(place)
    board.files.set("main.py", new Uint8Array(7))
    await server.push(concatBytes([removeRequest("main.py"), removeRequest("main.py"), removeRequest("")]))
    await eventually(() => expect(frames()).toEqual([ok, "57420200", "57421600"]))
    expect(board.files.has("main.py")).toBe(false)
    expect(told[0]).toBe("remove main.py. There is no file main.py on the board.")
    // What has no name interrupts no program.
    expect(board.uses.length).toBe(2)
    board.failsAt = { bytes: -1, error: new AppError("device_offline", "The board is gone.") }
    await server.push(concatBytes([removeRequest("x"), versionRequest()]))
    await eventually(() => expect(frames().slice(3)).toEqual(["57421300", "011d03"]))
  },
)
