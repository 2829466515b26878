import { execFileSync } from "node:child_process"
import { expect, test } from "vitest"

test("8 rings of 4 MiB take what they say, in chunks of 1, 64, 184 and 60,000 bytes: at most 1.15 times as much", () => {
  const script = new URL("./ring-memory.ts", import.meta.url).pathname
  const flags = ["--expose-gc", "--conditions=@serialcast/source", "--import", "tsx"]
  const printed = execFileSync(process.execPath, [...flags, script, "1", "64", "184", "60000"])
  const ratios = printed.toString().trim().split("\n").map(Number)
  expect(ratios).toHaveLength(4)
  for (const ratio of ratios) expect(ratio).toBeLessThan(1.15)
})
