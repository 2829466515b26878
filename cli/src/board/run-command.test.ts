import { expect, test } from "vitest"
import { decodeCode } from "./run-command.ts"

test("code is UTF-8, without the mark that some editors put before it", () => {
  expect(decodeCode(new TextEncoder().encode("\ufeffprint('é')"), "a.py")).toBe("print('é')")
  expect(() => decodeCode(Uint8Array.of(0xff, 0xfe), "a.py")).toThrow("a.py: expected Python in UTF-8.")
})
