import { expect, test } from "vitest"
import { modemStateOf } from "./modem-state.ts"

test("the lines are those that the device drives; one that the port cannot tell is off", () => {
  const lines = { dtr: true, rts: true, cts: true, dsr: false, dcd: true }
  expect(modemStateOf({ online: true, lines })).toEqual({ cts: true, dsr: false, ri: false, dcd: true })
})

test("a port without lines is ready", () => {
  expect(modemStateOf({ online: true, lines: null })).toEqual({ cts: true, dsr: true, ri: false, dcd: true })
})

test("all lines are off of a device that is away, or was never heard of", () => {
  const off = { cts: false, dsr: false, ri: false, dcd: false }
  expect(modemStateOf({ online: false, lines: { cts: true } })).toEqual(off)
  expect(modemStateOf(undefined)).toEqual(off)
})
