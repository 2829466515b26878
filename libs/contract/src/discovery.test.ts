import { expect, test } from "vitest"
import { parseDiscovery } from "./discovery.ts"

const encode = (text: string) => new TextEncoder().encode(text)

test("whoever asks is answered under the name that it gives", () => {
  expect(parseDiscovery(encode('{"client":"page-1"}'))).toBe("page-1")
})

test.each(["", "page-1", "{}", '{"client":1}', '{"client":"Page 1"}', '{"client":"a/b"}'])(
  "%j names nobody to answer",
  (text) => expect(parseDiscovery(encode(text))).toBeUndefined(),
)
