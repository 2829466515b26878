import { AppError } from "@serialcast/contract"
import { expect, test } from "vitest"
import { failureText } from "./failure-text.ts"

test("a known error is one line with what is wrong and what to do", () => {
  expect(failureText("console", new AppError("listen_failed", "Port 8080 (console) is in use"))).toBe(
    "serialcast console: Port 8080 (console) is in use. " +
      "Stop the other program or choose another address for the listener.\n",
  )
})

test("several problems are a list", () => {
  expect(failureText("broker", new AppError("bad_config", "a: wrong\nb: wrong"))).toBe(
    "serialcast broker: 2 problems:\n  a: wrong\n  b: wrong\nCorrect the listed configuration keys and start again.\n",
  )
})

test("only an unforeseen error shows where it came from", () => {
  expect(failureText("broker", new TypeError("oops"))).toMatch(
    /^serialcast broker: oops\. .*\nTypeError: oops\n +at /,
  )
})
