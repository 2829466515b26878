import { expect, test } from "vitest"
import { closestName } from "./closest-name.ts"

test("a slip finds the name that was meant, something else finds none", () => {
  const names = ["listen", "defaultDevice", "hexServer"]
  expect(closestName("lisen", names)).toBe("listen")
  expect(closestName("default_device", names)).toBe("defaultDevice")
  expect(closestName("HEXSERVER", names)).toBe("hexServer")
  expect(closestName("port", names)).toBeUndefined()
})

test("two letters that changed places are one slip, and a beginning is enough", () => {
  const names = ["tail", "history", "listen"]
  expect(closestName("tial", names)).toBe("tail")
  expect(closestName("hist", names)).toBe("history")
  expect(closestName("l", names)).toBeUndefined()
  expect(closestName("", names)).toBeUndefined()
})
