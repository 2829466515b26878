import fc from "fast-check"
import { expect, test } from "vitest"
import { type MacroStep, parseLineMacro } from "./line-macro.ts"

test.each<[string, MacroStep[]]>([
  ["D0", [{ kind: "set", dtr: false }]],
  ["R1D0", [{ kind: "set", rts: true, dtr: false }]],
  [
    "B1|W0.25|B0",
    [
      { kind: "set", break: true },
      { kind: "wait", ms: 250 },
      { kind: "set", break: false },
    ],
  ],
  [
    "D0|R1|W0.1|D1|R0|W0.05|D0",
    [
      { kind: "set", dtr: false },
      { kind: "set", rts: true },
      { kind: "wait", ms: 100 },
      { kind: "set", dtr: true },
      { kind: "set", rts: false },
      { kind: "wait", ms: 50 },
      { kind: "set", dtr: false },
    ],
  ],
  [
    " D1 | W10 ",
    [
      { kind: "set", dtr: true },
      { kind: "wait", ms: 10_000 },
    ],
  ],
])("%s is a macro", (text, steps) => {
  expect(parseLineMacro(text)).toEqual(steps)
})

test.each([
  ["", 'found ""'],
  ["D0||D1", 'found ""'],
  ["D2", 'found "D2"'],
  ["d0", 'found "d0"'],
  ["W", 'found "W"'],
  ["W-1", 'found "W-1"'],
  ["W1D0", 'found "W1D0"'],
  ["W11", "One step waits at most 10 s"],
  [Array(7).fill("W10").join("|"), "A macro waits at most 60 s in all; found 70 s"],
])("%j is none, and the message names the step", (text, found) => {
  expect(() => parseLineMacro(text)).toThrow(
    expect.objectContaining({ code: "bad_request", message: expect.stringContaining(found) }),
  )
})

test("any text is a macro of bounded length, or refused", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[DRBW01.|9 ]{0,40}$/), (text) => {
      let steps: readonly MacroStep[] = []
      try {
        steps = parseLineMacro(text)
      } catch (error) {
        expect(error).toMatchObject({ code: "bad_request" })
      }
      const waits = steps.map((step) => (step.kind === "wait" ? step.ms : 0))
      expect(waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(60_000)
    }),
  )
})
