import { expect, test } from "vitest"
import { parseByteSize } from "./byte-size.ts"

test.each([
  ["0", 0],
  ["4096", 4096],
  ["64KiB", 65_536],
  ["12 MiB", 12_582_912],
  ["1GiB", 1_073_741_824],
])("%s is a size", (text, bytes) => expect(parseByteSize(text)).toBe(bytes))

test.each(["", "12MB", "1.5MiB", "-1", "MiB", "999999999999999GiB"])("%j is no size", (text) =>
  expect(parseByteSize(text)).toBeUndefined(),
)
