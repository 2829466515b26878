import { describe, expect, test } from "vitest"
import { hex } from "../testing/test-segments.ts"
import { OptionTable } from "./option-table.ts"
import type { Verb } from "./telnet-codes.ts"

const known = 3
const unknown = 39
const none = hex("")

const sides = [
  { side: "remote", on: "will", off: "wont", ask: "ff fd 03", refuse: "ff fe 03" },
  { side: "local", on: "do", off: "dont", ask: "ff fb 03", refuse: "ff fc 03" },
] as const

describe.each(sides)("the $side side of an option (RFC 1143)", ({ side, on, off, ask, refuse }) => {
  const make = { local: [known], remote: [known] }
  const begin: Record<string, (table: OptionTable) => void> = {
    no: () => undefined,
    wantYes: (table) => table.request(side, known),
    yes: (table) => table.receive(on, known),
  }

  test.each<[string, Verb | "request", string, boolean]>([
    ["no", on, ask, true],
    ["no", off, "", false],
    ["no", "request", ask, false],
    ["wantYes", on, "", true],
    ["wantYes", off, "", false],
    ["wantYes", "request", "", false],
    ["yes", on, "", true],
    ["yes", off, refuse, false],
    ["yes", "request", "", true],
  ])("in state %s, %s is answered with %j", (state, input, answer, isOn) => {
    const table = new OptionTable(make)
    begin[state]?.(table)
    const sent = input === "request" ? table.request(side, known) : table.receive(input, known)
    expect(sent).toEqual(hex(answer))
    expect(table.isOn(side, known)).toBe(isOn)
    expect(table.isOn(side === "local" ? "remote" : "local", known)).toBe(false)
  })

  test("is refused once when it is not accepted, however often it is asked for", () => {
    const table = new OptionTable({ local: [], remote: [] })
    expect(table.receive(on, known)).toEqual(hex(refuse))
    for (const verb of [on, on, off, on]) expect(table.receive(verb, known)).toEqual(none)
    expect(table.isOn(side, known)).toBe(false)
  })

  test("can come and go, each change answered once", () => {
    const table = new OptionTable(make)
    const answers = [on, on, off, off, on].map((verb) => table.receive(verb, known))
    expect(answers).toEqual([hex(ask), none, hex(refuse), none, hex(ask)])
  })
})

test("the sides and the options know nothing of each other", () => {
  const table = new OptionTable({ local: [known], remote: [] })
  expect(table.receive("do", known)).toEqual(hex("ff fb 03"))
  expect(table.receive("will", known)).toEqual(hex("ff fe 03"))
  expect(table.receive("do", unknown)).toEqual(hex("ff fc 27"))
  expect([table.isOn("local", known), table.isOn("remote", known)]).toEqual([true, false])
})

test("an option is wanted while it is asked for, and until it is refused", () => {
  const table = new OptionTable({ local: [known], remote: [] })
  expect(table.isWanted("local", known)).toBe(false)
  table.request("local", known)
  expect(table.isWanted("local", known)).toBe(true)
  table.receive("dont", known)
  expect(table.isWanted("local", known)).toBe(false)
})
