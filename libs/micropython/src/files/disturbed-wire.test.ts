import { seededRandom } from "@serialcast/testkit"
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest"
import type { Board } from "../board/board.ts"
import { type BoardMemory, createBoardMemory } from "../board/board-memory.ts"
import { takeBoard } from "../board/take-board.ts"
import type { Wire } from "../board/wire.ts"
import { createBoardWire } from "../testing/board-wires.ts"
import { GenuineBoard } from "../testing/genuine-board.ts"
import { readFile, sourceOf } from "../testing/test-boards.ts"

type Disturb = (bytes: Uint8Array) => Uint8Array
const asIs: Disturb = (bytes) => bytes
const path = "/tmp/file"
const random = seededRandom()
const old = random.bytes(500)
const data = random.bytes(5_000)

let genuine: GenuineBoard
let board: Board
let memory: BoardMemory
let onTheWayTo: Disturb
let onTheWayFrom: Disturb
beforeAll(async () => {
  genuine = await GenuineBoard.start()
})
afterAll(() => genuine[Symbol.asyncDispose]())
beforeEach(async () => {
  memory = createBoardMemory()
  onTheWayTo = onTheWayFrom = asIs
  const { wire, clock } = createBoardWire(genuine)
  const disturbed: Wire = {
    write: (bytes) => wire.write(onTheWayTo(bytes)),
    async read(waitMs) {
      const bytes = await wire.read(waitMs)
      return bytes && onTheWayFrom(bytes)
    },
  }
  board = await takeBoard(disturbed, { clock, signal: new AbortController().signal, memory })
  await board.files.put(path, sourceOf(old))
})

/** Does it to the first that is of the given size, and to no other. */
function once(isMeant: (bytes: Uint8Array) => boolean, disturb: Disturb): Disturb {
  let isDone = false
  return (bytes) => {
    if (isDone || !isMeant(bytes)) return bytes
    isDone = true
    return disturb(bytes)
  }
}

const isPiece = (bytes: Uint8Array) => bytes.byteLength === 63
const flipped: Disturb = (bytes) => bytes.map((byte, at) => (at === 40 ? byte ^ 0x40 : byte))

test.each([
  { title: "a piece", lose: () => new Uint8Array(0) },
  { title: "a part of a piece", lose: (bytes: Uint8Array) => bytes.subarray(0, 30) },
])("a put goes on when $title is lost on its way, with half as much there", async ({ lose }) => {
  onTheWayTo = once(isPiece, lose)
  expect(await board.files.put(path, sourceOf(data))).toMatchObject({ size: 5_000 })
  expect(memory.inputBytes).toBe(128)
  expect(await readFile(board, path)).toEqual(data)
  await board.leave()
})

test("a put is given up when pieces are lost again and again, keeps the old file, and the next goes on with it", async () => {
  let pieces = 0
  const isText = (bytes: Uint8Array) => /^[ -~\s]*$/.test(Buffer.from(bytes).toString("latin1"))
  const isSpared = (bytes: Uint8Array) => bytes.byteLength < 10 || isText(bytes) || ++pieces < 30
  onTheWayTo = (bytes) => (isSpared(bytes) ? bytes : bytes.subarray(1))
  await expect(board.files.put(path, sourceOf(data))).rejects.toMatchObject({ code: "transfer_failed" })
  onTheWayTo = asIs
  expect(await readFile(board, path)).toEqual(old)
  expect(await board.files.put(path, sourceOf(data))).toMatchObject({ size: 5_000 })
  expect(await readFile(board, path)).toEqual(data)
  await board.leave()
})

test("a put whose bytes are changed on their way is told, and keeps the old file", async () => {
  onTheWayTo = once(isPiece, flipped)
  await expect(board.files.put(path, sourceOf(data))).rejects.toMatchObject({ code: "transfer_failed" })
  expect(await readFile(board, path)).toEqual(old)
  expect(await board.files.list("/tmp")).toEqual([{ name: "file", kind: "file", size: 500 }])
  await board.leave()
})

test("a get whose bytes are changed on their way is told at its end, and the next one is right", async () => {
  await board.files.put(path, sourceOf(data))
  const { bytes } = await board.files.get(path)
  onTheWayFrom = once(({ byteLength }) => byteLength > 100, flipped)
  const read = async () => {
    let size = 0
    for await (const piece of bytes) size += piece.byteLength
    return size
  }
  await expect(read()).rejects.toMatchObject({ code: "transfer_failed" })
  onTheWayFrom = asIs
  expect(await readFile(board, path)).toEqual(data)
  await board.leave()
})

test("a get into which something else prints is told", async () => {
  await board.files.put(path, sourceOf(data))
  const { bytes } = await board.files.get(path)
  onTheWayFrom = once(
    () => true,
    (one) => Uint8Array.from([...Buffer.from("I (123) wifi: up\r\n"), ...one]),
  )
  const read = async () => {
    for await (const piece of bytes) expect(piece.byteLength).toBeGreaterThan(0)
  }
  await expect(read()).rejects.toMatchObject({ code: "transfer_failed" })
  expect(await readFile(board, path)).toEqual(data)
  await board.leave()
})

test("the removal of many files shows that it goes on", async () => {
  await board.files.mkdir("/tmp/many")
  for (const name of ["a", "b", "c"]) await board.files.put(`/tmp/many/${name}`, sourceOf(old))
  let said = ""
  onTheWayFrom = (bytes) => {
    said += Buffer.from(bytes).toString("latin1")
    return bytes
  }
  await board.files.remove("/tmp/many", { recursive: true })
  expect(said).toContain("....")
  await board.leave()
})
