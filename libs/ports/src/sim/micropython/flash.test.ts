import { expect, test } from "vitest"
import { decodeChange, encodeChange, Flash, type FlashChange } from "./flash.ts"

const changes: readonly FlashChange[] = [
  { kind: "makeFolder", path: "/lib" },
  { kind: "put", path: "/lib/ä.py", bytes: Uint8Array.of(0, 255) },
  { kind: "put", path: "/library", bytes: new Uint8Array() },
  { kind: "rename", path: "/lib", to: "/new" },
  { kind: "remove", path: "/library" },
]

test("changes come out of the pipe as they went in", () => {
  for (const change of changes) expect(decodeChange(encodeChange(change))).toEqual(change)
})

test("what no board has room for is not kept", () => {
  const flash = new Flash()
  for (let count = 0; count < 2_000; count++) flash.apply({ kind: "makeFolder", path: `/${count}` })
  expect([...flash.changes()]).toHaveLength(1_024)
  const large = new Flash()
  for (const path of ["/a", "/b", "/c", "/a"])
    large.apply({ kind: "put", path, bytes: new Uint8Array(2_000_000) })
  expect([...large.changes()].map(({ path }) => path)).toEqual(["/a", "/b"])
})

test("a folder is renamed with what is in it, and a folder comes before its files", () => {
  const flash = new Flash()
  for (const change of changes) flash.apply(change)
  expect([...flash.changes()]).toEqual([
    { kind: "makeFolder", path: "/new" },
    { kind: "put", path: "/new/ä.py", bytes: Uint8Array.of(0, 255) },
  ])
})
