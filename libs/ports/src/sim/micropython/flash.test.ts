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

test("a folder is renamed with what is in it, and a folder comes before its files", () => {
  const flash = new Flash()
  for (const change of changes) flash.apply(change)
  expect([...flash.changes()]).toEqual([
    { kind: "makeFolder", path: "/new" },
    { kind: "put", path: "/new/ä.py", bytes: Uint8Array.of(0, 255) },
  ])
})
