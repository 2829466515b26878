import { getEventListeners } from "node:events"
import { seededRandom } from "@serialcast/testkit"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { Board } from "../board/board.ts"
import { textLiteral } from "../repl/python-literal.ts"
import { GenuineBoard } from "../testing/genuine-board.ts"
import { boardKinds, freshFolder, readFile, sourceOf, takeGenuine } from "../testing/test-boards.ts"
import { temporaryNames } from "./temporary-names.ts"

const random = seededRandom()
/** Bytes of all values, whichever they are. */
const dataOf = (size: number) => random.bytes(size)

describe.each(boardKinds)("a board $title", ({ options, taken, algorithm }) => {
  let genuine: GenuineBoard
  let board: Board
  let folder: string
  let droppedBytes: number
  beforeAll(async () => {
    genuine = await GenuineBoard.start(options)
    board = await takeGenuine(genuine, taken)
    // Bytes that it was sent to measure how much it takes are meant to be lost.
    droppedBytes = genuine.droppedBytes
    folder = await freshFolder(board)
  })
  afterAll(async () => {
    await board.leave()
    await genuine[Symbol.asyncDispose]()
  })

  test.each([0, 1, 255, 256, 257, 1_024, 1_025, 20_000])(
    "gets and gives back %d bytes of all values",
    async (size) => {
      const data = dataOf(size)
      const path = `${folder}/data`
      const { hash } = await board.files.put(path, sourceOf(data))
      expect(hash.algorithm).toBe(algorithm)
      expect(await board.files.hash(path)).toEqual(hash)
      expect(await board.files.stat(path)).toEqual({ kind: "file", size })
      expect(await readFile(board, path), `seed ${random.seed}`).toEqual(data)
      expect((await board.files.list(folder)).map(({ name }) => name)).toEqual(["data"])
      expect(genuine.droppedBytes).toBe(droppedBytes)
    },
  )
})

describe("a board", () => {
  let genuine: GenuineBoard
  let board: Board
  let folder: string
  beforeAll(async () => {
    genuine = await GenuineBoard.start()
    board = await takeGenuine(genuine)
  })
  afterAll(async () => {
    await board.leave()
    await genuine[Symbol.asyncDispose]()
  })
  const fresh = async () => {
    folder = await freshFolder(board)
    return folder
  }

  test("has 100,000 bytes of all values as they were", async () => {
    const data = dataOf(100_000)
    const path = `${await fresh()}/large`
    const done: number[] = []
    await board.files.put(path, sourceOf(data), { onProgress: (bytes) => done.push(bytes) })
    expect(done.at(-1)).toBe(100_000)
    expect(done).toEqual([...done].sort((a, b) => a - b))
    expect(Buffer.from(await readFile(board, path)).equals(data), `seed ${random.seed}`).toBe(true)
  })

  test.each([
    "with space",
    "it's",
    'a "quote"',
    "back\\slash",
    "žluťoučký 🐍",
    "\u0001\n\t\u0003\u0004",
    "#;%$",
    "x".repeat(200),
  ])("has a file named %j", async (name) => {
    const path = `${await fresh()}/${name}`
    const data = dataOf(300)
    await board.files.put(path, sourceOf(data))
    expect(await board.files.list(folder)).toEqual([{ name, kind: "file", size: 300 }])
    expect(await readFile(board, path)).toEqual(data)
    await board.files.remove(path)
    expect(await board.files.list(folder)).toEqual([])
  })

  test.each(["", "a\0b", "x".repeat(256), "\ud800", `${"y/".repeat(600)}z`])(
    "is not asked for a name that no board has: %j",
    async (name) => {
      await expect(board.files.stat(name)).rejects.toMatchObject({ code: "bad_request" })
      await expect(board.files.put(name, sourceOf(dataOf(1)))).rejects.toMatchObject({ code: "bad_request" })
    },
  )

  test("tells what is wrong with a path", async () => {
    await fresh()
    await board.files.mkdir(`${folder}/a`)
    await board.files.put(`${folder}/a/file`, sourceOf(dataOf(9)))
    await expect(board.files.stat(`${folder}/none`)).rejects.toMatchObject({ code: "no_such_file" })
    await expect(board.files.list(`${folder}/none`)).rejects.toMatchObject({ code: "no_such_file" })
    await expect(board.files.list(`${folder}/a/file`)).rejects.toMatchObject({ code: "no_such_file" })
    await expect(board.files.get(`${folder}/none`)).rejects.toMatchObject({ code: "no_such_file" })
    await expect(board.files.get(`${folder}/a`)).rejects.toMatchObject({ code: "is_directory" })
    await expect(board.files.hash(`${folder}/a`)).rejects.toMatchObject({ code: "is_directory" })
    await expect(board.files.put(`${folder}/a`, sourceOf(dataOf(9)))).rejects.toMatchObject({
      code: "is_directory",
    })
    await expect(board.files.put(`${folder}/none/x`, sourceOf(dataOf(9)))).rejects.toMatchObject({
      code: "no_such_file",
    })
    await expect(board.files.mkdir(`${folder}/a`)).rejects.toMatchObject({ code: "file_exists" })
    await expect(board.files.mkdir(`${folder}/a/file/b`, { parents: true })).rejects.toMatchObject({
      code: "file_exists",
    })
    await expect(board.files.remove(`${folder}/a`)).rejects.toMatchObject({ code: "not_empty" })
    for (const path of ["/", "//", ".", "..", `${folder}/a/..`, `${folder}/a/../`, `${folder}/.`])
      await expect(board.files.remove(path, { recursive: true })).rejects.toMatchObject({
        code: "bad_request",
      })
    await board.files.put(`${folder}/a/...`, sourceOf(dataOf(1)))
    await board.files.remove(`${folder}/a/...`)
    await expect(board.files.remove(`${folder}/none`)).rejects.toMatchObject({ code: "no_such_file" })
  })

  test("makes folders with those above, and removes them with all that is in them", async () => {
    await fresh()
    const deep = `${folder}/a/b c/d`
    await board.files.mkdir(deep, { parents: true })
    await board.files.mkdir(deep, { parents: true })
    await board.files.put(`${deep}/file`, sourceOf(dataOf(9)))
    await board.files.remove(`${folder}/a/`, { recursive: true })
    expect(await board.files.list(folder)).toEqual([])
  })

  test("removes a folder in which only the rest of a put lies, and no other that is not empty", async () => {
    await fresh()
    const inside = `${folder}/in`
    await board.files.mkdir(inside)
    await board.files.put(temporaryNames(`${inside}/file`).part, sourceOf(dataOf(9)))
    await board.files.put(`${inside}/.sc-mine`, sourceOf(dataOf(9)))
    await expect(board.files.remove(inside)).rejects.toMatchObject({ code: "not_empty" })
    expect(await board.files.list(inside, { isAll: true })).toHaveLength(2)
    await board.files.remove(`${inside}/.sc-mine`)
    await board.files.remove(inside)
    expect(await board.files.list(folder)).toEqual([])
  })

  test("renames over a file only when told to", async () => {
    await fresh()
    const [a, b] = [`${folder}/a`, `${folder}/b`]
    await board.files.put(a, sourceOf(Uint8Array.of(1)))
    await board.files.rename(a, b)
    await board.files.put(a, sourceOf(Uint8Array.of(2)))
    await expect(board.files.rename(a, b)).rejects.toMatchObject({ code: "file_exists" })
    await board.files.rename(a, b, { overwrite: true })
    expect(await readFile(board, b)).toEqual(Uint8Array.of(2))
    expect((await board.files.list(folder)).map(({ name }) => name)).toEqual(["b"])
  })

  test("goes on with what an earlier put left of the same bytes, and not with other ones", async () => {
    await fresh()
    const data = dataOf(20_000)
    const path = `${folder}/file`
    const { part } = temporaryNames(path)
    await board.files.put(part, sourceOf(data.subarray(0, 10_000)))
    expect(await board.files.put(path, sourceOf(data))).toMatchObject({ resumedBytes: 8_192 })
    expect(await readFile(board, path)).toEqual(data)
    const other = data.slice(0, 10_000)
    other[5_000] = ~other[5_000]!
    await board.files.put(part, sourceOf(other))
    expect(await board.files.put(path, sourceOf(data))).toMatchObject({ resumedBytes: 4_096 })
    expect(await readFile(board, path)).toEqual(data)
    await board.files.put(part, sourceOf(data))
    expect(await board.files.put(path, sourceOf(data.subarray(0, 19_000)))).toMatchObject({ resumedBytes: 0 })
    expect(await readFile(board, path)).toEqual(data.subarray(0, 19_000))
    expect((await board.files.list(folder)).map(({ name }) => name)).toEqual(["file"])
  })

  test("that lost its power between the removal of the old file and the rename of the new one has the new one", async () => {
    await fresh()
    const path = `${folder}/file`
    const { whole } = temporaryNames(path)
    const asks = [
      async () => expect(await readFile(board, path)).toEqual(Uint8Array.of(7)),
      async () => expect(await board.files.stat(path)).toEqual({ kind: "file", size: 1 }),
      async () => expect(await board.files.put(path, sourceOf(Uint8Array.of(8)))).toMatchObject({ size: 1 }),
    ]
    for (const ask of asks) {
      await board.files.put(whole, sourceOf(Uint8Array.of(7)))
      await ask()
      expect((await board.files.list(folder)).map(({ name }) => name)).toEqual(["file"])
      await board.files.remove(path)
    }
    // A put that comes to nothing has made up for it before.
    await board.files.put(whole, sourceOf(Uint8Array.of(7)))
    await expect(board.files.put(path, { ...sourceOf(dataOf(1)), size: 2 })).rejects.toThrow("less")
    expect(await board.files.list(folder)).toContainEqual({ name: "file", kind: "file", size: 1 })
  })

  test("keeps the old file when a source breaks, is shorter or longer than it said, or is given up", async () => {
    await fresh()
    const path = `${folder}/file`
    await board.files.put(path, sourceOf(Uint8Array.of(1, 2, 3)))
    const data = dataOf(9_000)
    const broken = async function* () {
      yield data.subarray(0, 5_000)
      throw new Error("The source broke.")
    }
    await expect(board.files.put(path, { size: 9_000, bytes: broken() })).rejects.toThrow("The source broke.")
    for (const size of [8_999, 9_001]) {
      const source = { ...sourceOf(data), size }
      await expect(board.files.put(path, source)).rejects.toMatchObject({ code: "bad_request" })
    }
    const giving = new AbortController()
    const hanging = async function* () {
      yield data.subarray(0, 5_000)
      // While it is waited for.
      await Promise.resolve()
      giving.abort()
      await new Promise(() => {})
    }
    const given = board.files.put(path, { size: 9_000, bytes: hanging() }, { signal: giving.signal })
    await expect(given).rejects.toMatchObject({ code: "cancelled" })
    expect(await readFile(board, path)).toEqual(Uint8Array.of(1, 2, 3))
    const names = async (isAll: boolean) =>
      (await board.files.list(folder, { isAll })).map(({ name }) => name)
    expect(await names(false)).toEqual(["file"])
    expect(await names(true)).toEqual([expect.stringMatching(/\.part$/), "file"])
    expect(await board.files.put(path, sourceOf(data))).toMatchObject({ resumedBytes: 4_096 })
  })

  test("stops sending a file when its reader leaves, at any place", async () => {
    await fresh()
    const path = `${folder}/file`
    const data = dataOf(5_000)
    await board.files.put(path, sourceOf(data))
    for (const pieces of [0, 1, 2, 5, 8, 9]) {
      const { bytes } = await board.files.get(path)
      const iterator = bytes[Symbol.asyncIterator]()
      for (let count = 0; count < pieces; count++) await iterator.next()
      await iterator.return?.()
      expect(await board.files.stat(path)).toEqual({ kind: "file", size: 5_000 })
    }
    const giving = new AbortController()
    const { bytes } = await board.files.get(path, { signal: giving.signal })
    const reading = (async () => {
      for await (const piece of bytes) if (piece.byteLength > 0) giving.abort()
    })()
    await expect(reading).rejects.toMatchObject({ code: "cancelled" })
    expect(await readFile(board, path)).toEqual(data)
  })

  test("lets go of a caller's signal when a file has ended, or was left", async () => {
    await fresh()
    const path = `${folder}/file`
    await board.files.put(path, sourceOf(dataOf(5_000)))
    const { signal } = new AbortController()
    const listeners = () => getEventListeners(signal, "abort").length
    const whole = await board.files.get(path, { signal })
    expect(listeners()).toBe(1)
    for await (const piece of whole.bytes) expect(piece.byteLength).toBeGreaterThan(0)
    expect(listeners()).toBe(0)
    for await (const piece of (await board.files.get(path, { signal })).bytes) if (piece.byteLength > 0) break
    expect(listeners()).toBe(0)
    await expect(board.files.get(`${folder}/none`, { signal })).rejects.toMatchObject({
      code: "no_such_file",
    })
    expect(listeners()).toBe(0)
  })

  test("tells where relative paths begin", async () => {
    await fresh()
    const before = await board.files.currentFolder()
    const odd = `${folder}/it's žluťoučký`
    await board.files.mkdir(odd)
    const python = (path: string) => `import os\nos.chdir(${textLiteral(path)})`
    await board.exec(python(odd))
    expect(await board.files.currentFolder()).toBe(odd)
    await board.exec(python(before))
    expect(await board.files.currentFolder()).toBe(before)
  })

  test("does one thing at a time", async () => {
    await fresh()
    const path = `${folder}/file`
    await board.files.put(path, sourceOf(dataOf(5_000)))
    const { bytes } = await board.files.get(path)
    await expect(board.files.stat(path)).rejects.toMatchObject({ code: "overloaded" })
    for await (const piece of bytes) expect(piece.byteLength).toBeGreaterThan(0)
    await board.files.stat(path)
  })

  test("is left in order while a file is open that nobody reads", async () => {
    await fresh()
    const path = `${folder}/file`
    await board.files.put(path, sourceOf(dataOf(5_000)))
    const { bytes } = await board.files.get(path)
    await board.leave()
    const [first] = [await bytes[Symbol.asyncIterator]().next()]
    expect(first).toMatchObject({ done: true })
    await board.files.stat(path)
  })

  test("whose disk is full says so, keeps the old file, and runs nothing of the data", async () => {
    await fresh()
    const path = `${folder}/file`
    await board.files.put(path, sourceOf(Uint8Array.of(1)))
    const full = `
import builtins
_open=open
class Full:
 def __init__(s,f):s.f=f;s.n=0
 def write(s,d):
  s.n+=len(d)
  if s.n>2000:raise OSError(28)
  return s.f.write(d)
 def seek(s,o):return s.f.seek(o)
 def close(s):s.f.close()
builtins.open=lambda p,m='r':Full(_open(p,m)) if m=='wb' else _open(p,m)
`
    expect((await board.exec(full)).stderr).toBe("")
    const evil = new TextEncoder().encode("\u0004open('/tmp/evil','w').close()\u0004".repeat(300))
    await expect(board.files.put(path, sourceOf(evil))).rejects.toMatchObject({ code: "no_space" })
    await board.exec("import builtins\nbuiltins.open=_open")
    expect(await readFile(board, path)).toEqual(Uint8Array.of(1))
    await expect(board.files.stat("/tmp/evil")).rejects.toMatchObject({ code: "no_such_file" })
    expect((await board.files.list(folder)).map(({ name }) => name)).toEqual(["file"])
  })
})
