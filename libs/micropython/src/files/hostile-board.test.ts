import { createHash } from "node:crypto"
import { expect, test } from "vitest"
import { takeBoard } from "../board/take-board.ts"
import type { Wire } from "../board/wire.ts"
import { createBoardWire } from "../testing/board-wires.ts"
import { GenuineBoard } from "../testing/genuine-board.ts"
import { ScriptedBoard } from "../testing/scripted-board.ts"
import { createScriptedWire } from "../testing/scripted-wire.ts"
import { sourceOf } from "../testing/test-boards.ts"

const neverAborted = new AbortController().signal

/** The files of a board whose programs all print the same, but for what it has, which it tells. */
async function filesThatSay(stdout: string) {
  const peer = new ScriptedBoard({
    run: (code) => {
      if (!code.includes("def _sc")) return undefined
      return { stdout: code.includes("hasattr") ? "1 1 1 1 1\r\n" : stdout }
    },
  })
  const { wire, clock } = createScriptedWire(peer)
  return (await takeBoard(wire, { clock, signal: neverAborted })).files
}

test.each([
  "",
  "nonsense\r\n",
  "NaN NaN\r\n",
  "32768 -1\r\n",
  `32768 ${"9".repeat(20)}\r\n`,
  "32768 1 \u001b[2J\r\n",
])("a board that answers %j is told as one that is wrong, and none of it is believed", async (stdout) => {
  const files = await filesThatSay(stdout)
  await expect(files.stat("a")).rejects.toMatchObject({ code: "board_error" })
  await expect(files.hash("a")).rejects.toMatchObject({ code: "board_error" })
  if (stdout === "") return
  await expect(files.list("a")).rejects.toMatchObject({ code: "board_error" })
  await expect(files.currentFolder()).rejects.toMatchObject({ code: "board_error" })
})

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex")
const piece = (text: string) => `D\u0000${String.fromCharCode(text.length)}${text}`

/** Reads a file of that size, of which these bytes come, and answers what was had of it. */
async function read(size: number, text: string): Promise<string> {
  const files = await filesThatSay(`S ${size}\r\n${piece(text)}E${sha256(text)}\r\n`)
  const { bytes } = await files.get("a")
  let had = ""
  for await (const part of bytes) had += new TextDecoder().decode(part)
  return had
}

test("of a file come as many bytes as were told, or it is told that it did not", async () => {
  expect(await read(3, "abc")).toBe("abc")
  await expect(read(3, "abcd")).rejects.toMatchObject({ code: "transfer_failed" })
  await expect(read(3, "ab")).rejects.toMatchObject({ code: "transfer_failed" })
})

test("a board that takes pieces for ever is given up", async () => {
  await using genuine = await GenuineBoard.start()
  const { wire, clock } = createBoardWire(genuine)
  let isEndless = false
  const endless: Wire = {
    write: (bytes) => wire.write(bytes),
    async read(waitMs) {
      if (!isEndless) return await wire.read(waitMs)
      // Somebody who watches can end the test.
      await new Promise(setImmediate)
      clock.advance(100)
      return Uint8Array.of(0x06)
    },
  }
  const board = await takeBoard(endless, { clock, signal: neverAborted })
  const source = sourceOf(new Uint8Array(2_000))
  const put = board.files.put("/tmp/file", source, { onProgress: (bytes) => (isEndless = bytes > 500) })
  await expect(put).rejects.toMatchObject({ code: "board_timeout" })
})
