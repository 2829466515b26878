import { getEventListeners } from "node:events"
import { createDeferred } from "@serialcast/primitives"
import { eventually } from "@serialcast/testkit"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { createBoardWire } from "../testing/board-wires.ts"
import { GenuineBoard } from "../testing/genuine-board.ts"
import { ScriptedBoard } from "../testing/scripted-board.ts"
import { createScriptedWire } from "../testing/scripted-wire.ts"
import { sourceOf, takeGenuine } from "../testing/test-boards.ts"
import type { Board } from "./board.ts"
import { createBoardMemory } from "./board-memory.ts"
import { takeBoard } from "./take-board.ts"
import type { Wire } from "./wire.ts"

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const bytesOf = (text: string) => new TextEncoder().encode(text)
const neverAborted = new AbortController().signal

describe("a genuine board", () => {
  let genuine: GenuineBoard
  let board: Board
  beforeAll(async () => {
    genuine = await GenuineBoard.start()
    board = await takeGenuine(genuine)
  })
  afterAll(async () => {
    await board.leave()
    await genuine[Symbol.asyncDispose]()
  })

  test("tells its version", () => {
    expect(board).toMatchObject({ found: "prompt", version: "1.27.0", implementation: "micropython" })
  })

  test("runs code, whose output and traceback come apart, and keeps its names", async () => {
    const { stdout, stderr } = await board.exec("x = 41\nprint('a > b')\nprint(x + 1)\n1/0")
    expect(textOf(stdout)).toBe("a > b\n42\n")
    expect(stderr).toContain("ZeroDivisionError")
    expect(textOf((await board.exec("print(x)")).stdout)).toBe("41\n")
    expect((await board.exec("def")).stderr).toContain("SyntaxError")
  })

  test("hands its output on while it runs", async () => {
    const parts: string[] = []
    const { stdout } = await board.exec("for i in range(3):\n print(i)\n", {
      onOutput: async (bytes) => void parts.push(textOf(bytes)),
    })
    expect(parts.join("")).toBe("0\n1\n2\n")
    expect(stdout).toHaveLength(0)
  })

  test("is interrupted when it takes too long, prints too much, or is given up, and goes on", async () => {
    const loop = "import time\nwhile True:\n time.sleep_ms(1)\n"
    await expect(board.exec(loop, { timeoutMs: 300 })).rejects.toMatchObject({ code: "board_timeout" })
    const flood = "while True:\n print('flood')\n"
    await expect(board.exec(flood, { maxOutputBytes: 1_000 })).rejects.toMatchObject({ code: "too_large" })
    await expect(board.exec(flood, { timeoutMs: 300, onOutput: () => {} })).rejects.toMatchObject({
      code: "board_timeout",
    })
    const giving = new AbortController()
    const given = board.exec(flood, { signal: giving.signal, onOutput: () => giving.abort() })
    await expect(given).rejects.toMatchObject({ code: "cancelled" })
    const broken = board.exec(flood, { onOutput: () => Promise.reject(new Error("The reader broke.")) })
    await expect(broken).rejects.toThrow("The reader broke.")
    expect(textOf((await board.exec("print('still here')")).stdout)).toBe("still here\n")
  })

  test.each(["\u0003", "\u0004", "\u0001", "\u0000", "\u0011", "\u0013"])(
    "is not sent code that has %j in it",
    async (control) => {
      await expect(board.exec(`print('${control}')`)).rejects.toMatchObject({ code: "bad_request" })
    },
  )

  const busy: readonly { title: string; typed: string; found: string; says: string }[] = [
    { title: "in the middle of a line", says: "'half", typed: "print('half", found: "line" },
    { title: "in the middle of a block", says: "... ", typed: "while 1:\r", found: "line" },
    { title: "in paste mode", says: "print(1)", typed: "\u0005print(1)", found: "line" },
    {
      title: "in a loop that sleeps",
      says: "begun",
      typed: "import time\rprint('begun')\rwhile 1:time.sleep_ms(1)\r\r",
      found: "program",
    },
    {
      title: "in a loop that prints",
      says: ">>> \n>>> \n",
      typed: "while 1:print('>>> ')\r\r",
      found: "program",
    },
    {
      title: "waiting for a line",
      says: "readline()",
      typed: "import sys\rsys.stdin.readline()\r",
      found: "program",
    },
    { title: "in raw mode, with something typed", says: "raw REPL", typed: "\u0001abc", found: "raw" },
    {
      title: "in another tool's program",
      says: "begun",
      typed: "\u0001import time\nprint('begun')\nwhile 1:time.sleep_ms(1)\n\u0004",
      found: "program",
    },
    {
      title: "catching one interrupt",
      says: "begun",
      typed:
        "\u0001import time\nprint('begun')\nfor i in 1,2:\n try:\n  while 1:time.sleep_ms(1)\n except KeyboardInterrupt:pass\n\u0004",
      found: "program",
    },
  ]
  test.each(busy)("is taken $title", async ({ typed, found, says }) => {
    await board.leave()
    let said = ""
    genuine.onSaid = (bytes) => {
      said += textOf(bytes)
    }
    genuine.receive(bytesOf(typed))
    await eventually(() => expect(said).toContain(says))
    const again = await takeGenuine(genuine)
    expect(textOf((await again.exec("print(1)")).stdout)).toBe("1\n")
    expect(again.found).toBe(found)
    await again.leave()
    board = await takeGenuine(genuine)
  })

  test("is left also while nobody takes what its program prints", async () => {
    const heard = createDeferred<void>()
    const onOutput = () => {
      heard.resolve()
      return new Promise<void>(() => {})
    }
    const flood = board.exec("while True:\n print('flood')\n", { onOutput })
    await heard.promise
    const [, ended] = await Promise.all([board.leave(), flood.catch((error: unknown) => error)])
    expect(ended).toMatchObject({ code: "cancelled" })
  })

  test("takes no two things at a time, and is left at once in the middle of one", async () => {
    const running = board.exec("import time\nwhile True:\n time.sleep_ms(1)\n")
    await expect(board.exec("1")).rejects.toMatchObject({ code: "overloaded" })
    const [, ended] = await Promise.all([board.leave(), running.catch((error: unknown) => error)])
    expect(ended).toMatchObject({ code: "cancelled" })
  })

  test("keeps nothing at a signal when what it could have ended is done", async () => {
    const { signal } = new AbortController()
    const mine = await takeGenuine(genuine, { signal })
    await mine.files.put("/tmp/x", sourceOf(new Uint8Array(20_000)), { signal })
    for await (const _piece of (await mine.files.get("/tmp/x", { signal })).bytes);
    await mine.leave()
    board = await takeGenuine(genuine)
    const [made] = Object.getOwnPropertySymbols(signal).filter(
      (one) => one.description === "kDependantSignals",
    )
    expect(getEventListeners(signal, "abort")).toEqual([])
    // Of signals that were made of it, Node 20 keeps a trace each.
    expect(made === undefined ? 0 : (Reflect.get(signal, made)?.size ?? 0)).toBe(0)
  })

  test("is left at its prompt also when all was given up", async () => {
    const giving = new AbortController()
    const mine = await takeGenuine(genuine, { signal: giving.signal })
    const hanging = async function* () {
      yield bytesOf("x")
      // While it is waited for.
      await Promise.resolve()
      giving.abort()
      await new Promise(() => {})
    }
    const put = mine.files.put("/tmp/x", { size: 9_000, bytes: hanging() })
    await expect(put).rejects.toMatchObject({ code: "cancelled" })
    await expect(mine.exec("1")).rejects.toMatchObject({ code: "cancelled" })
    await mine.leave()
    const { wire } = createBoardWire(genuine)
    await wire.write(bytesOf("\r"))
    let said = ""
    while (!said.endsWith(">>> ")) said += textOf((await wire.read(60_000)) ?? new Uint8Array(0))
    board = await takeGenuine(genuine)
    await board.files.put("/tmp/x", sourceOf(bytesOf("whole")))
  })
})

describe("a scripted board", () => {
  test("is asked once what it has, when its memory is kept", async () => {
    const memory = createBoardMemory()
    for (const asks of [1, 0]) {
      const { wire, clock, sent } = createScriptedWire(new ScriptedBoard({ rawPaste: "refused" }))
      const board = await takeBoard(wire, { clock, signal: neverAborted, memory })
      await board.leave()
      expect(sent.filter((byte) => byte === 0x05)).toHaveLength(asks)
    }
    expect(memory).toEqual({ isBoard: true, hasRawPaste: false, inputBytes: 64 })
  })

  test("runs main.py behind a soft reset and is not disturbed then; or stays taken without it", async () => {
    const scripted = new ScriptedBoard()
    const { wire, clock, sent } = createScriptedWire(scripted)
    const board = await takeBoard(wire, { clock, signal: neverAborted })
    await board.softReset({ runMain: false })
    await board.exec("1")
    await board.softReset()
    const before = sent.length
    await board.leave()
    expect(sent.length).toBe(before)
    expect(sent.slice(-2)).toEqual([0x02, 0x04])
    await board.exec("2")
    expect(scripted.ran.slice(-1)).toEqual(["2"])
    await board.leave()
    expect(sent.slice(-1)).toEqual([0x02])
  })

  test("whose taking is given up in its middle is left at its prompt", async () => {
    const { wire, clock, sent } = createScriptedWire(new ScriptedBoard())
    const giving = new AbortController()
    const watched: Wire = {
      ...wire,
      async write(bytes) {
        await wire.write(bytes)
        if (bytes[0] === 0x05) giving.abort()
      },
    }
    await expect(takeBoard(watched, { clock, signal: giving.signal })).rejects.toMatchObject({
      code: "cancelled",
    })
    expect(sent.slice(-1)).toEqual([0x02])
  })

  test("that the wire loses is an error of the wire", async () => {
    const { wire, clock } = createScriptedWire(new ScriptedBoard())
    const lost = { ...wire, read: () => Promise.reject(new Error("Bytes are missing.")) }
    await expect(takeBoard(lost, { clock, signal: neverAborted })).rejects.toThrow("Bytes are missing.")
  })
})
