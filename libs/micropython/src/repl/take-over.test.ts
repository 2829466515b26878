import { seededRandom } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { type Peer, play, type Reads } from "../testing/play.ts"
import { ScriptedBoard, type ScriptedBoardOptions } from "../testing/scripted-board.ts"
import { type TakeOverOptions, takeOver } from "./take-over.ts"
import { Talk } from "./talk.ts"

const options: TakeOverOptions = { isBoard: false, said: new Uint8Array(0), word: "s12345", timeoutMs: 4_500 }
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1")
const take = (peer: Peer, given: Partial<TakeOverOptions> = {}, reads?: Reads) =>
  play(takeOver(new Talk(), { ...options, ...given }), peer, reads)
const ask = "print('s12345');import sys;print(sys.implementation)\u0004"

const boards: readonly (ScriptedBoardOptions & { title: string; found: string; sent: string })[] = [
  { title: "at its prompt", found: "prompt", sent: `\u0001${ask}` },
  { title: "in raw mode", begins: "raw", found: "raw", sent: `\u0001${ask}` },
  {
    title: "with a line that somebody has begun",
    typed: "os.remove('x')",
    found: "line",
    sent: `\u0001\u0003\u0001${ask}`,
  },
  { title: "in paste mode", begins: "paste", found: "line", sent: `\u0001\u0003\u0001${ask}` },
  // The first Ctrl-A waits in its input, and is read when the program was ended.
  { title: "that runs a program", begins: {}, found: "program", sent: `\u0001\u0003${ask}` },
  {
    title: "that runs a program which prints",
    begins: { prints: "temperature 21\r\n>>> " },
    found: "program",
    sent: `\u0001\u0003${ask}`,
  },
  {
    title: "that runs another tool's program",
    begins: { isRaw: true },
    found: "program",
    sent: `\u0001\u0003${ask}`,
  },
  {
    title: "whose program catches an interrupt",
    begins: { catches: 1 },
    found: "program",
    sent: `\u0001\u0003\u0001\r\u0003${ask}`,
  },
  {
    title: "whose program catches three interrupts and prints",
    begins: { catches: 3, prints: "KeyboardInterrupt\r\n" },
    found: "program",
    sent: `\u0001${"\u0003\u0001\r\u0003\u0001".repeat(1)}\u0003\u0001\r\u0003${ask}`,
  },
]

describe.each(boards)("a board $title", ({ found, sent, ...board }) => {
  test("is taken, told apart, and nothing of it is run", () => {
    const scripted = new ScriptedBoard(board)
    const played = take(scripted)
    expect(played.result).toEqual({ found, version: "1.29.0", implementation: "micropython" })
    expect(textOf(played.sent)).toBe(sent)
    expect(scripted.ran).toEqual([ask.slice(0, -1)])
    expect(played.tookMs).toBeLessThan(4_500)
  })

  test("is told the same wherever reads split what it says", () => {
    const whole = take(new ScriptedBoard(board)).result
    for (let size = 1; size < 40; size++)
      expect(take(new ScriptedBoard(board), {}, () => size).result).toEqual(whole)
    const random = seededRandom()
    const reads = () => 1 + Math.floor(random.next() * 9)
    expect(take(new ScriptedBoard(board), {}, reads).result, `seed ${random.seed}`).toEqual(whole)
  })
})

const silent: Peer = { receive: () => {}, hear: () => new Uint8Array(0) }

function echoing(): Peer {
  let heard: number[] = []
  return {
    receive: (bytes) => heard.push(...bytes),
    hear: () => Uint8Array.from(heard.splice(0)),
  }
}

function sensor(): Peer {
  let nextMs = 0
  return {
    receive: () => {},
    hear(nowMs) {
      if (nowMs < nextMs) return new Uint8Array(0)
      nextMs = nowMs + 100
      return new TextEncoder().encode("21.5 C > 20\r\n")
    },
  }
}

function failing(peer: Peer, given: Partial<TakeOverOptions>) {
  let told = { sent: "", tookMs: 0 }
  const work = () =>
    play(takeOver(new Talk(), { ...options, ...given }), peer, undefined, (sent, tookMs) => {
      told = { sent: textOf(sent), tookMs }
    })
  return { work, told: () => told }
}

describe.each([
  { title: "is silent", peer: () => silent },
  { title: "echoes everything", peer: echoing },
  { title: "prints lines", peer: sensor },
])("a device that $title", ({ peer }) => {
  test("is told to be no board within 5 s, and got six bytes", () => {
    const { work, told } = failing(peer(), {})
    expect(work).toThrow(expect.objectContaining({ code: "not_micropython" }))
    expect(told().sent).toBe("\u0001\u0003\u0001\r\u0003\u0001")
    expect(told().tookMs).toBeLessThanOrEqual(5_000)
  })
})

describe("a board whose program takes no Ctrl-C", () => {
  const deaf = () => new ScriptedBoard({ begins: { catches: Number.POSITIVE_INFINITY } })
  const banner = new TextEncoder().encode("\r\nMicroPython v1.29.0 on 2026-08-01; board\r\n")

  test.each([
    { title: "was known to be one", given: { isBoard: true } },
    { title: "said its banner lately", given: { said: banner } },
  ])("is told to be busy within 5 s when it $title", ({ given }) => {
    const { work, told } = failing(deaf(), given)
    expect(work).toThrow(expect.objectContaining({ code: "board_busy" }))
    expect(told().tookMs).toBeLessThanOrEqual(5_000)
    // Whatever of it is read later, the board ends in friendly mode.
    expect(told().sent.endsWith("\u0002")).toBe(true)
  })

  test("is told to be busy when it prints what only boards print", () => {
    const catching = { catches: 99, prints: "KeyboardInterrupt: \r\n" }
    const { work } = failing(new ScriptedBoard({ begins: catching }), {})
    expect(work).toThrow(expect.objectContaining({ code: "board_busy" }))
  })

  test("cannot be told from a stranger otherwise", () => {
    expect(failing(deaf(), {}).work).toThrow(expect.objectContaining({ code: "not_micropython" }))
  })
})

test("a board that answers late is taken all the same", () => {
  const board = new ScriptedBoard({ begins: {} })
  const late: Peer = {
    receive: (bytes) => board.receive(bytes),
    hear: (nowMs) => (nowMs < 1_500 ? new Uint8Array(0) : board.hear(nowMs)),
  }
  expect(take(late).result).toMatchObject({ version: "1.29.0" })
})

test("a board that is switched on by what it is sent had no program", () => {
  const board = new ScriptedBoard()
  const banner =
    '\r\nMicroPython v1.29.0 on 2026-08-01; scripted\r\nType "help()" for more information.\r\n>>> '
  let isOn = false
  const starting: Peer = {
    receive: (bytes) => board.receive(bytes),
    hear(nowMs) {
      if (nowMs < 600) return new Uint8Array(0)
      const said = isOn ? "" : banner
      isOn = true
      return Buffer.concat([Buffer.from(said), board.hear(nowMs)])
    },
  }
  expect(take(starting).result).toMatchObject({ found: "prompt" })
})
