import { expect, test } from "vitest"
import { parseBuiltin } from "./builtin-target.ts"

test("what every device has is known by its path, however that is escaped", () => {
  expect(parseBuiltin("/devices/local/uno/tx?eol=lf")).toMatchObject({ address: "local/uno", name: "tx" })
  expect(parseBuiltin("/devices/local/uno/tx?eol=lf")?.query.get("eol")).toBe("lf")
  expect(parseBuiltin("/devices/local/u%6Eo/last-line")).toMatchObject({
    address: "local/uno",
    name: "last-line",
  })
  expect(parseBuiltin("http://box:8082/devices/a/b/state")).toMatchObject({ address: "a/b", name: "state" })
})

test.each([
  "/devices/local/uno/temp",
  "/devices/local/uno",
  "/devices/local/uno/tx/",
  "/devices/local/uno/tx/more",
  "/devices/local/a%2Fb/tx",
  "/devices/uno/tx",
  "/r/devices/local/uno/tx",
  "/devices/local/uno/TX",
  "*",
])("%s is something else", (target) => expect(parseBuiltin(target)).toBeUndefined())
