import { afterAll, expect, onTestFinished } from "vitest"
import { TestBoard, type TestBoardOptions } from "./test-board.ts"

export const prompt = ">>> "
export const rawBanner = "raw REPL; CTRL-B to exit\r\n>"
export const keyboardInterrupt = "KeyboardInterrupt: \r\n"

/** How the tests of a file get their boards. */
export interface Boards {
  /** A board at its friendly prompt: with options one of its own, otherwise one that was reset. */
  readonly startBoard: (options?: TestBoardOptions) => Promise<TestBoard>
  /** The same in raw mode. */
  readonly startRaw: (options?: TestBoardOptions) => Promise<TestBoard>
}

/** Called at the top of a file. A reset is ten times faster than a start; a board that a test failed with is not used again. */
export function createBoards(): Boards {
  let spare: TestBoard | undefined
  afterAll(() => spare?.close())

  async function startBoard(options?: TestBoardOptions): Promise<TestBoard> {
    const used = options === undefined ? spare : undefined
    if (used !== undefined) {
      spare = undefined
      await used.write("\r\x03\x02\x04")
      let text = ""
      while (!/soft reboot\r\nMicroPython[^]*>>> $/.test(text)) text += await used.readUntil(prompt)
    }
    const board = used ?? (await TestBoard.start(options))
    onTestFinished(async ({ task }) => {
      if (options === undefined && task.result?.state === "pass") spare = board
      else await board.close()
    })
    if (used === undefined) await board.readUntil(prompt)
    return board
  }

  async function startRaw(options?: TestBoardOptions): Promise<TestBoard> {
    const board = await startBoard(options)
    await board.write("\x01")
    await board.readUntil(rawBanner)
    return board
  }

  return { startBoard, startRaw }
}

/** What the raw REPL answers to a program. */
export async function runRaw(board: TestBoard, source: string): Promise<string> {
  await board.write(`${source}\x04`)
  return await board.readUntil("\x04>")
}

/** Sends what is given one after the other, and waits for what follows it: traces of a board's REPL. */
export async function talk(board: TestBoard, ...trace: readonly (readonly [keys: string, answer: string])[]) {
  for (const [keys, answer] of trace) {
    await board.write(keys)
    expect(await board.readUntil(answer)).toBe(answer)
  }
}

/** Enters raw-paste, and answers the window. */
export async function enterRawPaste(board: TestBoard): Promise<number> {
  await board.write("\x05A\x01")
  const [r, yes, low = 0, high = 0] = Buffer.from(await board.readUntil("\x01"), "latin1")
  expect([r, yes]).toEqual([0x52, 1])
  return low + 256 * high
}
