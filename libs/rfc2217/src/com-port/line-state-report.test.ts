import { expect, test } from "vitest"
import { LineStateReport } from "./line-state-report.ts"

const framing = 8
const broken = 16

test("nothing is told before a mask is set", () => {
  const report = new LineStateReport()
  report.update(255)
  report.setMask(255)
  expect(report.takeDue()).toBeNull()
})

test("each error that the mask lets through is told, also when it comes again", () => {
  const report = new LineStateReport()
  report.setMask(framing)
  for (const _ of [1, 2]) {
    report.update(framing | broken)
    expect(report.takeDue()).toBe(framing)
    expect(report.takeDue()).toBeNull()
  }
})

test("errors that wait are told together, but not those that a new mask hides", () => {
  const report = new LineStateReport()
  report.setMask(255)
  report.update(framing)
  report.update(broken)
  expect(report.takeDue()).toBe(framing | broken)
  report.update(framing)
  report.update(broken)
  report.setMask(broken)
  expect(report.takeDue()).toBe(broken)
})

test("what waits for one session is not told to the next, which has its own mask", () => {
  const report = new LineStateReport()
  report.setMask(255)
  report.update(framing)
  report.start()
  expect(report.takeDue()).toBeNull()
  report.update(framing)
  expect(report.takeDue()).toBeNull()
})
