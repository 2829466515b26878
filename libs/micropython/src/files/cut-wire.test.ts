import { seededRandom } from "@serialcast/testkit"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { createBoardMemory } from "../board/board-memory.ts"
import { takeBoard } from "../board/take-board.ts"
import { createBoardWire, cutWire } from "../testing/board-wires.ts"
import { GenuineBoard } from "../testing/genuine-board.ts"
import { fatBoot, readFile, sourceOf, takeGenuine } from "../testing/test-boards.ts"

const cuts = 100
const kinds = [
  { title: "that renames over files", boot: "" },
  { title: "that renames over no file", boot: fatBoot },
]

describe.each(kinds)("a board $title", ({ boot }) => {
  let genuine: GenuineBoard
  beforeAll(async () => {
    genuine = await GenuineBoard.start({ boot })
  })
  afterAll(() => genuine[Symbol.asyncDispose]())

  test("has the old file or the new one, and takes the next, wherever the wire is cut", async () => {
    const random = seededRandom()
    const memory = createBoardMemory()
    const { signal } = new AbortController()
    const path = "/tmp/file"
    /** Throws `device_offline` when so many bytes have passed. */
    const putOver = async (data: Uint8Array, bytes: number): Promise<number> => {
      let passed = 0
      const { wire, clock } = createBoardWire(genuine)
      const cut = cutWire(wire, bytes, (count) => (passed += count))
      const board = await takeBoard(cut, { clock, signal, memory })
      await board.files.put(path, sourceOf(data))
      await board.leave()
      return passed
    }
    let old: Uint8Array = random.bytes(6_000)
    const wholeBytes = await putOver(old, Number.MAX_SAFE_INTEGER)
    let isNew = 0
    for (let cut = 0; cut < cuts; cut++) {
      const why = `seed ${random.seed}, cut ${cut}`
      const data = random.bytes(6_000)
      const cutAt = 1 + Math.floor(random.next() * wholeBytes)
      const work = putOver(data, cutAt)
      const error = await work.then(
        () => null,
        (error: unknown) => error,
      )
      if (error !== null) expect(error, why).toMatchObject({ code: "device_offline" })
      const board = await takeGenuine(genuine, { memory })
      const found = await readFile(board, path)
      const hasNew = Buffer.from(found).equals(data)
      if (!hasNew) expect(Buffer.from(found).equals(old), why).toBe(true)
      if (hasNew) isNew++
      // Now and then nobody heals what was left before the next cut.
      if (random.next() < 0.5) {
        await board.files.put(path, sourceOf(data))
        expect(Buffer.from(await readFile(board, path)).equals(data), why).toBe(true)
        expect(await board.files.list("/tmp"), why).toEqual([{ name: "file", kind: "file", size: 6_000 }])
        old = data
      } else old = found
      await board.leave()
    }
    expect(isNew).toBeLessThan(cuts)
  })
})
