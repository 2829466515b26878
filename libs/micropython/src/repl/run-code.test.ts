import { after } from "@serialcast/primitives"
import { seededRandom } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { type BoardMemory, createBoardMemory } from "../board/board-memory.ts"
import { play, type Reads } from "../testing/play.ts"
import { type RawPasteAnswer, ScriptedBoard, type ScriptedBoardOptions } from "../testing/scripted-board.ts"
import type { Conversation } from "./conversation.ts"
import { learnInput } from "./learn-input.ts"
import { endOfCode, interruptCode, nextOutput, startCode } from "./run-code.ts"
import { Talk } from "./talk.ts"

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1")

/** Runs code to its end: its output and its error. */
function* runToEnd(talk: Talk, code: string, memory: BoardMemory): Conversation<readonly [string, string]> {
  yield* startCode(talk, code, memory)
  let output = ""
  for (;;) {
    const piece = yield* nextOutput(talk, after(talk.nowMs, 1_000))
    if (piece === "silent") throw new Error("The board fell silent.")
    if (piece === null) return [output, yield* endOfCode(talk, after(talk.nowMs, 1_000))]
    output += textOf(piece)
  }
}

const inRaw = (options: ScriptedBoardOptions) => new ScriptedBoard({ begins: "raw", ...options })

interface Way {
  readonly title: string
  readonly rawPaste: RawPasteAnswer
  readonly ringBytes: number
  /** What is found out. */
  readonly learnt: Partial<BoardMemory>
}

const ways: readonly Way[] = [
  { title: "raw-paste", rawPaste: 128, ringBytes: 256, learnt: { hasRawPaste: true, inputBytes: 256 } },
  {
    title: "raw-paste with a small window",
    rawPaste: 32,
    ringBytes: 64,
    learnt: { hasRawPaste: true, inputBytes: 64 },
  },
  {
    title: "statements, because of R 00",
    rawPaste: "refused",
    ringBytes: 64,
    learnt: { hasRawPaste: false, inputBytes: 64 },
  },
  {
    title: "statements, because of ra",
    rawPaste: "unknown",
    ringBytes: 64,
    learnt: { hasRawPaste: false, inputBytes: 64 },
  },
  {
    title: "statements, because of silence",
    rawPaste: "silent",
    ringBytes: 64,
    learnt: { hasRawPaste: false, inputBytes: 64 },
  },
]

describe.each(ways)("code goes by $title", ({ rawPaste, ringBytes, learnt }) => {
  const run = (code: string, reads?: Reads) => {
    const board = inRaw({
      rawPaste,
      ringBytes,
      run: (ran) => ({
        stdout: ran.length < 9 ? "r> OK\r\n" : `${ran.length}\r\n`,
        stderr: "Traceback <stdin>\r\n",
      }),
    })
    const played = play(runToEnd(new Talk(), code, createBoardMemory()), board, reads)
    return { ...played, board }
  }

  test.each([1, 2, 31, 32, 33, 59, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1_000, 5_000])(
    "%d bytes of it, whole, and nothing is dropped",
    (length) => {
      const code = "y".repeat(length)
      const { result, board } = run(code)
      expect(board.ran).toEqual([code])
      expect(result).toEqual([length < 9 ? "r> OK\r\n" : `${length}\r\n`, "Traceback <stdin>\r\n"])
      expect(board.droppedBytes).toBe(0)
    },
  )

  test("none at all, which starts no board anew", () => {
    expect(run("").result).toEqual(["r> OK\r\n", "Traceback <stdin>\r\n"])
  })

  test("the same wherever reads split the answers", () => {
    for (const length of [5, 300]) {
      const { result } = run("y".repeat(length))
      for (let size = 1; size < 30; size++) expect(run("y".repeat(length), () => size).result).toEqual(result)
      const random = seededRandom()
      expect(
        run("y".repeat(length), () => 1 + Math.floor(random.next() * 9)).result,
        `seed ${random.seed}`,
      ).toEqual(result)
    }
  })

  test("with quotes, backslashes, line ends and UTF-8", () => {
    const code = `print("it's", 'a\\\\b')\nfor i in range(9):\n\tprint('žluť 🐍')\r\n`.repeat(9)
    expect(run(code).board.ran).toEqual([Buffer.from(code).toString("latin1")])
  })

  test("which is found out once, and how much is taken", () => {
    const board = inRaw({
      rawPaste,
      ringBytes,
      run: (code) => (code.length > 9 ? { stderr: "NameError" } : {}),
    })
    const memory = createBoardMemory()
    play(learnInput(new Talk(), memory), board)
    expect(memory).toMatchObject(learnt)
    const asked = play(runToEnd(new Talk(), "1", memory), board)
    expect(textOf(asked.sent).includes("\u0005A\u0001")).toBe(learnt.hasRawPaste)
  })
})

test("an error of syntax is told when the board gives the code up in its middle", () => {
  const board = inRaw({})
  const { result } = play(runToEnd(new Talk(), `a!${"b".repeat(3_000)}`, createBoardMemory()), board)
  expect(result).toEqual(["", "SyntaxError: invalid syntax\r\n"])
  expect(board.ran).toEqual([])
  expect(play(runToEnd(new Talk(), "1", createBoardMemory()), board).result).toEqual(["", ""])
})

test("a board that falls silent while it is sent code is told", () => {
  const deaf = { receive: () => {}, hear: () => new Uint8Array(0) }
  expect(() => play(startCode(new Talk(), "1", { ...createBoardMemory(), hasRawPaste: true }), deaf)).toThrow(
    expect.objectContaining({ code: "board_timeout" }),
  )
})

test.each(["\u0001", "x"])(
  "a board that grants nothing and goes on saying %j is told, however long it does",
  (said) => {
    let saidMs = -1
    const peer = {
      receive: () => {},
      hear: (nowMs: number) => {
        const bytes = saidMs < 0 ? "R\u0001\u0000\u0000" : nowMs > saidMs ? said : ""
        saidMs = nowMs
        return Buffer.from(bytes)
      },
    }
    const memory = { ...createBoardMemory(), hasRawPaste: true }
    expect(() => play(startCode(new Talk(), "1", memory), peer)).toThrow(
      expect.objectContaining({ code: "board_timeout" }),
    )
  },
)

test("a board that says that it took more than it was sent is not believed", () => {
  const board = inRaw({
    rawPaste: "refused",
    run: (code) => (code.includes("sleep_ms") ? { stdout: "r\r\n9999999999\r\n" } : {}),
  })
  const memory = createBoardMemory()
  // Byte by byte, so that each line is heard alone.
  play(learnInput(new Talk(), memory), board, () => 1)
  expect(memory.inputBytes).toBe(256)
})

test("what ends by sys.exit() has its output, and the board, which starts anew for it, goes on", () => {
  const board = inRaw({ run: (code) => (code === "exit" ? { stdout: "bye", exits: true } : { stdout: "!" }) })
  const [talk, memory] = [new Talk(), createBoardMemory()]
  expect(play(runToEnd(talk, "exit", memory), board).result).toEqual(["bye", ""])
  expect(play(runToEnd(talk, "next", memory), board).result).toEqual(["!", ""])
})

test("what does not end is interrupted, also when it catches an interrupt, and the board goes on", () => {
  const board = inRaw({
    run: (code) => (code === "loop" ? { program: { catches: 1, prints: "on\r\n" } } : { stdout: "!" }),
  })
  const memory = createBoardMemory()
  const talk = new Talk()
  play(startCode(talk, "loop", memory), board)
  expect(play(interruptCode(talk), board).result).toBe(true)
  expect(play(runToEnd(talk, "next", memory), board).result).toEqual(["!", ""])
})

test("what takes no interrupt is told", () => {
  const board = inRaw({ run: () => ({ program: { catches: Number.POSITIVE_INFINITY } }) })
  const talk = new Talk()
  play(startCode(talk, "loop", createBoardMemory()), board)
  expect(play(interruptCode(talk), board).result).toBe(false)
})
