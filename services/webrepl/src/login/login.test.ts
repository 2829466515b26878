import { expect, test } from "vitest"
import { accessDenied, loggedIn, passwordPrompt } from "./login-texts.ts"
import { createPasswordCheck } from "./password-check.ts"
import { maxPasswordBytes, PasswordReader } from "./password-reader.ts"

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"))

test("the texts are those of a board, byte for byte", () => {
  expect(Buffer.from(passwordPrompt).toString("hex")).toBe("50617373776f72643a20")
  expect([loggedIn, loggedIn.length]).toEqual(["\r\nWebREPL connected\r\n>>> ", 25])
  expect([accessDenied, accessDenied.length]).toEqual(["\r\nAccess denied\r\n", 17])
})

test.each(["\r", "\n"])("a password ends at %j, wherever it is cut, and what follows is left over", (end) => {
  const whole = bytes(`pa\x7fss\x08${end}rest\r`)
  for (let cut = 0; cut < 7; cut++) {
    const reader = new PasswordReader()
    expect(reader.push(whole.subarray(0, cut))).toBeNull()
    expect(reader.push(whole.subarray(cut))).toEqual({
      password: bytes("pa\x7fss\x08"),
      rest: bytes("rest\r"),
    })
  }
})

test("an endless password costs no memory, and is not taken for a shorter one", () => {
  const reader = new PasswordReader()
  for (let count = 0; count < 1_000; count++) expect(reader.push(new Uint8Array(1_000).fill(0x61))).toBeNull()
  expect(reader.push(bytes("\r"))?.password.byteLength).toBe(maxPasswordBytes + 1)
})

test("only the right password passes, of whatever length and bytes", () => {
  const isRight = createPasswordCheck(bytes("a longer one than boards take, \xe9"))
  expect(isRight(bytes("a longer one than boards take, \xe9"))).toBe(true)
  for (const wrong of [
    "",
    "a",
    "a longer one than boards take, e",
    "a longer one than boards take, \xe9\x00",
  ])
    expect(isRight(bytes(wrong))).toBe(false)
})
