import { atMs } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { SlicePace } from "./slice-pace.ts"

const at9600 = 10 / 9.6
const at115200 = 10 / 115.2
const kilobyte = 1_024

test.each([
  ["what the wire takes in a quarter of a second", 0, 0, at115200, 2_880],
  ["fewer on a slower wire", 0, 0, at9600, 240],
  ["but not a few", 0, 0, 200, 64],
  ["nor very many", 0, 0, 0.001, 65_536],
  ["as before while a driver's buffer may have taken all", 64 * kilobyte, 0, at9600, 240],
  ["as before on a wire that keeps its rate", 1_024 * kilobyte, 960 * kilobyte * at9600, at9600, 240],
  ["many for what is faster than any such wire", 1_024 * kilobyte, 100, at115200, 65_536],
  ["what a wire takes when that stops", 1_024 * kilobyte, 60_000, at115200, 2_880],
])("a slice has %s", (_title, written, elapsedMs, byteMs, bytes) => {
  const pace = new SlicePace()
  pace.begin(atMs(0))
  pace.took(written, atMs(elapsedMs))
  expect(pace.nextBytes(byteMs, atMs(elapsedMs))).toBe(bytes)
})

test("writes that follow at once go on as fast as the ones before them; after a pause nothing is known", () => {
  const pace = new SlicePace()
  for (let ms = 0; ms < 4; ms++) {
    pace.begin(atMs(ms))
    pace.took(60_000, atMs(ms))
  }
  pace.begin(atMs(50))
  expect(pace.nextBytes(at115200, atMs(50))).toBe(65_536)
  pace.begin(atMs(103))
  expect(pace.nextBytes(at115200, atMs(103))).toBe(2_880)
})
