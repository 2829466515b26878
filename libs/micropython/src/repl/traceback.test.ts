import { expect, test } from "vitest"
import { errorOfTraceback } from "./traceback.ts"

const errors: readonly (readonly [string, string])[] = [
  ["OSError: [Errno 2] ENOENT", "no_such_file"],
  ["OSError: 2", "no_such_file"],
  ["OSError: [Errno 17] EEXIST: /a", "file_exists"],
  ["OSError: [Errno 20] ENOTDIR", "no_such_file"],
  ["OSError: 21", "is_directory"],
  ["OSError: [Errno 28] ENOSPC", "no_space"],
  ["OSError: 39", "not_empty"],
  ["OSError: 5", "board_error"],
  ["MemoryError: memory allocation failed, allocating 4096 bytes", "board_memory"],
  ["ValueError: OSError: 2", "board_error"],
  ["KeyboardInterrupt: ", "board_error"],
]

test.each(errors)("%s is %s", (line, code) => {
  const stderr = `Traceback (most recent call last):\r\n  File "<stdin>", line 1, in <module>\r\n${line}\r\n`
  const error = errorOfTraceback(stderr, "put of /a")
  expect(error.code).toBe(code)
  expect(error.message.startsWith(`put of /a: ${line.trim()}`)).toBe(true)
})

test("a number that a small board tells alone is named", () => {
  expect(errorOfTraceback("OSError: 28\r\n", "put of /a").message).toBe("put of /a: OSError: 28 (ENOSPC).")
  expect(errorOfTraceback("OSError: 5\r\n", "put of /a").message).toBe("put of /a: OSError: 5.")
})

test("a traceback without a word is told as such", () => {
  expect(errorOfTraceback("\r\n", "put of /a").message).toBe("put of /a: no message.")
})
