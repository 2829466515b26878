import type { StreamEvent } from "@serialcast/device-stream"
import { expect, test } from "vitest"
import { decodeBytesFrame, decodeServerMessage } from "../wire/frames.ts"
import { createEventEncoder } from "./event-frames.ts"

const first = "00000000000000aa"
const second = "00000000000000bb"
const at = (epoch: string, offset: number, mark = 0) => ({ epoch, offset, mark })

function framesOf(events: readonly StreamEvent[]) {
  const encode = createEventEncoder(() => null)
  return events
    .flatMap(encode)
    .map((frame) => (typeof frame === "string" ? decodeServerMessage(frame) : decodeBytesFrame(frame)))
}

test("a reading opens with its place, and its bytes carry their offset", () => {
  const bytes = Uint8Array.of(1, 2)
  expect(
    framesOf([
      { kind: "positioned", cursor: at(first, 5) },
      { kind: "bytes", cursor: at(first, 7), offset: 5, timeUs: 1, bytes },
      { kind: "mark", cursor: at(first, 7, 1), timeUs: 2, mark: { n: 0, kind: "opened", open: 2 } },
    ]),
  ).toEqual([
    { type: "open", epoch: first, cursor: `${first}-5`, state: null },
    { offset: 5, bytes },
    { type: "mark", cursor: `${first}-7.1`, timeUs: 2, mark: { n: 0, kind: "opened", open: 2 } },
  ])
})

test("a reading whose place is not known yet opens without one, and tells it when it is", () => {
  const bytes = Uint8Array.of(1)
  expect(
    framesOf([
      { kind: "positioned", cursor: null },
      { kind: "positioned", cursor: at(first, 5) },
      { kind: "bytes", cursor: at(first, 6), offset: 5, timeUs: 1, bytes },
    ]),
  ).toEqual([
    { type: "open", epoch: null, cursor: null, state: null },
    { type: "epoch", epoch: first, cursor: `${first}-5` },
    { offset: 5, bytes },
  ])
})

test("a new epoch is announced after the gap that explains it", () => {
  const gap = { from: `${first}-5`, to: `${second}-0`, bytes: null, reason: "evicted" } as const
  const bytes = Uint8Array.of(1)
  expect(
    framesOf([
      { kind: "positioned", cursor: at(first, 5) },
      { kind: "gap", cursor: at(second, 0), gap },
      { kind: "bytes", cursor: at(second, 1), offset: 0, timeUs: 1, bytes },
    ]).slice(1),
  ).toEqual([
    { type: "gap", cursor: `${second}-0`, gap },
    { type: "epoch", epoch: second, cursor: `${second}-0` },
    { offset: 0, bytes },
  ])
})

test("a gap within an epoch announces none", () => {
  const gap = { from: `${first}-5`, to: `${first}-9`, bytes: 4, reason: "evicted" } as const
  expect(
    framesOf([
      { kind: "positioned", cursor: at(first, 5) },
      { kind: "gap", cursor: at(first, 9), gap },
    ]).slice(1),
  ).toEqual([{ type: "gap", cursor: `${first}-9`, gap }])
})
