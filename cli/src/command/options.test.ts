import { expect, test } from "vitest"
import { parseOptions } from "./options.ts"
import { UsageError } from "./usage-error.ts"

const table = {
  from: { type: "string", value: "place", help: "Where it starts" },
  json: { type: "boolean", short: "j", help: "As JSON" },
} as const

test("a value may be a negative number, with or without the equals sign", () => {
  for (const args of [
    ["--from", "-100", "uno"],
    ["--from=-100", "uno"],
  ]) {
    expect(parseOptions(table, args)).toMatchObject({ values: { from: "-100" }, operands: ["uno"] })
  }
})

test("behind two dashes nothing is an option", () => {
  expect(parseOptions(table, ["--", "--from", "-1"])).toMatchObject({ operands: ["--from", "-1"] })
  expect(() => parseOptions(table, ["--json", "-1"])).toThrow(UsageError)
})

test("a misspelt option is refused, and the one that was meant is named", () => {
  expect(() => parseOptions(table, ["--jsno"])).toThrow("There is no option --jsno; did you mean --json?")
  expect(() => parseOptions(table, ["--wild"])).toThrow(/^There is no option --wild$/)
})

test("an option without its value, or with one that it does not take, is refused", () => {
  for (const args of [["--from"], ["--json=yes"], ["-x"]]) {
    expect(() => parseOptions(table, args)).toThrow(UsageError)
  }
})
