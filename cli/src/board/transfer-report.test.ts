import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { createTestContext, createTestOutput } from "../testing/test-context.ts"
import { TransferReport } from "./transfer-report.ts"

function report({ json = false, isTerminal = false } = {}) {
  const { context, stdout } = createTestContext()
  const stderr = createTestOutput({ isTerminal })
  const clock = new FakeClock()
  const made = new TransferReport({ ...context, stderr, clock }, { json, verb: "Put" })
  return { made, stdout, stderr, clock }
}

test("each file is a line, with what the board had of it, and its name obeyed by no terminal", async () => {
  const { made, stdout, stderr } = report()
  made.begin(30)
  await made.done({ path: "a\u001b[2J\n.py", bytes: 20 })
  await made.done({ path: "b", bytes: 10, resumedBytes: 4 })
  await made[Symbol.asyncDispose]()
  expect(stderr.text).toBe("Put a\\x1B[2J\\n.py: 20 bytes.\nPut b: 10 bytes, of which it had 4.\n")
  expect(stdout.text).toBe("")
})

test("as JSON it is all at the end, in ASCII", async () => {
  const { made, stdout, stderr } = report({ json: true })
  await made.done({ path: "ü\u009b", bytes: 1, hash: "crc32:00" })
  expect(stdout.text).toBe("")
  await made[Symbol.asyncDispose]()
  expect(stdout.text).toBe('[{"path":"\\u00fc\\u009b","bytes":1,"hash":"crc32:00"}]\n')
  expect(stderr.text).toBe("")
})

test("a terminal has a bar over all files, which makes way for each line", async () => {
  const { made, stderr, clock } = report({ isTerminal: true })
  made.begin(400)
  await made.done({ path: "a", bytes: 100 })
  clock.advance(2_000)
  made.next("b", 300)
  made.update(100)
  expect(stderr.text).toContain(" 50 %  200 bytes of 400 bytes")
  await made.done({ path: "b", bytes: 300 })
  expect(stderr.text.endsWith("\r\u001b[KPut b: 300 bytes.\n")).toBe(true)
})

test("an interruption says what was copied, and what was not", async () => {
  const { made } = report()
  expect(made.interrupted()).toBe("0 files were copied")
  made.next("a", 5)
  await made.done({ path: "a", bytes: 5 })
  made.next("b", 9)
  made.update(4)
  expect(made.interrupted()).toBe("1 file was copied; b was left as it was, after 4 of 9 bytes")
  made.next("c", 9, "was cut off")
  expect(made.interrupted()).toBe("1 file was copied; c was cut off, after 0 of 9 bytes")
})
