import type { Cursor } from "@serialcast/contract"
import { expect, test } from "vitest"
import { LiveWindow } from "./live-window.ts"
import { Resume } from "./resume.ts"

const epoch = "00000000000000aa"
const at = (offset: number): Cursor => ({ epoch, offset, mark: 0 })

test("a reader that has all is told up to when that is so, until more comes in", () => {
  const window = new LiveWindow(10_000)
  const tell = (offset: number, timeUs: number, bytes: Uint8Array) =>
    window.receive({ epoch, stream: "rx", record: { offset, timeUs, bytes } })
  const [resume, behind] = [at(0), at(0)].map((cursor) => new Resume({ kind: "cursor", cursor }))
  const next = () => resume?.next(window.view)
  tell(0, 10, Uint8Array.of(1))
  expect(next()).toMatchObject({ kind: "deliver" })
  expect(next()).toMatchObject({ kind: "deliver" })
  expect(next()).toMatchObject({ kind: "wait", quietUs: null })
  tell(1, 20, new Uint8Array(0))
  expect(next()).toMatchObject({ kind: "wait", quietUs: 20 })
  // Of another place, as after a message that was lost.
  tell(0, 30, new Uint8Array(0))
  expect(next()).toMatchObject({ kind: "wait", quietUs: 20 })
  tell(1, 40, Uint8Array.of(2))
  expect(next()).toMatchObject({ kind: "deliver" })
  expect(next()).toMatchObject({ kind: "wait", quietUs: null })
  expect(behind?.next(window.view)).toMatchObject({ kind: "deliver" })
})
