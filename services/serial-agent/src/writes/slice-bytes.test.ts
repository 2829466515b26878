import { expect, test } from "vitest"
import { nextSliceBytes } from "./slice-bytes.ts"

const at9600 = 10 / 9.6
const at115200 = 10 / 115.2
const kilobyte = 1_024

test.each([
  ["what the wire takes in a quarter of a second", 0, 0, at115200, 2_880],
  ["fewer on a slower wire", 0, 0, at9600, 240],
  ["but not a few", 0, 0, 200, 64],
  ["nor very many", 0, 0, 0.001, 16_384],
  ["as before while a driver's buffer may have taken all", 64 * kilobyte, 0, at9600, 240],
  ["as before on a wire that keeps its rate", 1_024 * kilobyte, 960 * kilobyte * at9600, at9600, 240],
  ["many for what is faster than any such wire", 1_024 * kilobyte, 100, at115200, 16_384],
  ["what a wire takes when that stops", 1_024 * kilobyte, 60_000, at115200, 2_880],
])("a slice has %s", (_title, written, elapsedMs, byteMs, bytes) => {
  expect(nextSliceBytes({ written, elapsedMs, byteMs })).toBe(bytes)
})
