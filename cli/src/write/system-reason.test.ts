import { stat } from "node:fs/promises"
import { expect, test } from "vitest"
import { systemReason } from "./system-reason.ts"

test("the system's reason comes once, without the call and whatever its path has in it", async () => {
  const reasonFor = (path: string) => stat(path).then(() => "", systemReason)
  expect(await reasonFor("not-there")).toBe("ENOENT: no such file or directory")
  expect(await reasonFor("it's, open 'a\nb'")).toBe("ENOENT: no such file or directory")
  expect(systemReason("gone")).toBe("gone")
})
