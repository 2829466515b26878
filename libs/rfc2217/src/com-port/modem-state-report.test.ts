import { describe, expect, test } from "vitest"
import { ModemStateReport } from "./modem-state-report.ts"

const cts = 0x10
const ri = 0x40
const dcd = 0x80

function started(lines: number, mask?: number): ModemStateReport {
  const report = new ModemStateReport()
  report.update(lines)
  report.start()
  if (mask !== undefined) report.setMask(mask)
  return report
}

describe("the first state of a session", () => {
  test.each([
    ["is told though nothing changed", 0, undefined, 0],
    ["has no changes", cts | dcd, undefined, cts | dcd],
    ["is masked", cts | dcd, dcd, dcd],
    ["is told though the mask leaves nothing of it", cts, dcd, 0],
    ["is not told to who wants none", cts, 0, null],
  ])("%s", (_claim, lines, mask, told) => {
    const report = started(lines, mask)
    expect(report.takeDue()).toBe(told)
    expect(report.takeDue()).toBeNull()
  })

  test("waits until it is known", () => {
    const report = new ModemStateReport()
    report.start()
    expect(report.takeDue()).toBeNull()
    report.update(cts)
    expect(report.takeDue()).toBe(cts)
  })

  test("comes again with the next session", () => {
    const report = started(cts)
    report.takeDue()
    report.setMask(0)
    report.start()
    expect(report.takeDue()).toBe(cts)
  })
})

describe("later", () => {
  test.each<[string, { from: number; to: number; mask: number; told: number | null }]>([
    ["nothing new is not told", { from: cts, to: cts, mask: 255, told: null }],
    ["a line that goes on is told with its change", { from: 0, to: cts, mask: 255, told: cts | 1 }],
    ["a line that goes off is told with its change", { from: cts, to: 0, mask: 255, told: 1 }],
    ["the ring indicator has a change only at its end", { from: 0, to: ri, mask: 255, told: ri }],
    ["the end of a ring is told", { from: ri, to: 0, mask: 255, told: 4 }],
    ["what the mask hides is not told", { from: 0, to: cts, mask: dcd | 8, told: null }],
    ["a mask of changes lets only these through", { from: 0, to: cts, mask: 1, told: 1 }],
    ["a mask of lines lets only these through", { from: 0, to: cts, mask: cts, told: cts }],
    ["the state is masked", { from: dcd, to: dcd | cts, mask: cts, told: cts }],
  ])("%s", (_claim, { from, to, mask, told }) => {
    const report = started(from, mask)
    report.takeDue()
    report.update(to)
    expect(report.takeDue()).toBe(told)
    expect(report.takeDue()).toBeNull()
  })

  test("a pulse that nobody could be told is a change with the line as it was", () => {
    const report = started(cts)
    report.takeDue()
    report.update(0)
    report.update(cts)
    expect(report.takeDue()).toBe(cts | 1)
  })

  test("a wider mask brings what it hid", () => {
    const report = started(0, dcd)
    report.takeDue()
    report.update(cts)
    expect(report.takeDue()).toBeNull()
    report.setMask(255)
    expect(report.takeDue()).toBe(cts | 1)
  })

  test("a wider mask brings the lines that it hid when the client was told others", () => {
    const report = started(dcd, cts)
    expect(report.takeDue()).toBe(0)
    report.update(dcd | cts)
    expect(report.takeDue()).toBe(cts)
    report.setMask(255)
    expect(report.takeDue()).toBe(dcd | cts | 1)
    expect(report.takeDue()).toBeNull()
  })

  test("who asks gets the lines whatever the mask, and they are told then", () => {
    const report = started(0, dcd)
    report.takeDue()
    report.update(cts)
    expect(report.takeAnswer()).toBe(cts | 1)
    report.setMask(255)
    expect(report.takeDue()).toBeNull()
  })
})
