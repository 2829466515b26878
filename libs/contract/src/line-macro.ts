import { AppError } from "./errors.ts"

/** One step of a macro: all lines of it change together. */
export type MacroStep =
  | { readonly kind: "set"; readonly dtr?: boolean; readonly rts?: boolean; readonly break?: boolean }
  | { readonly kind: "wait"; readonly ms: number }

/** Longest macro, in characters. */
export const maxMacroText = 1024
// A macro holds up all writes to its device.
const maxWaitMs = 10_000
const maxTotalMs = 60_000

const stepPattern = /^(?:W(\d{1,5}(?:\.\d{1,3})?)|(?:[DRB][01])+)$/
const names = { D: "dtr", R: "rts", B: "break" } as const

/**
 * Reads a macro of modem lines: steps divided by `|`. `D0` and `D1` clear and set DTR, `R0` and `R1` RTS, `B0` and `B1`
 * break; lines in one step, like `D0R1`, change together; `W0.1` waits 0.1 s. Throws `bad_request`.
 */
export function parseLineMacro(text: string): readonly MacroStep[] {
  const steps = text.split("|").map(parseStep)
  const totalMs = steps.reduce((sum, step) => sum + (step.kind === "wait" ? step.ms : 0), 0)
  if (totalMs > maxTotalMs)
    throw new AppError(
      "bad_request",
      `A macro waits at most ${maxTotalMs / 1000} s in all; found ${totalMs / 1000} s.`,
    )
  return steps
}

function parseStep(text: string): MacroStep {
  const match = stepPattern.exec(text.trim())
  if (match === null) {
    const expected = "D0, D1, R0, R1, B0, B1 (several together change at once) or W<seconds>"
    throw new AppError("bad_request", `A macro's step is ${expected}; found ${JSON.stringify(text)}.`)
  }
  const [step, seconds] = match
  if (seconds === undefined) return parseLines(step)
  const ms = Math.round(Number(seconds) * 1000)
  if (ms > maxWaitMs)
    throw new AppError("bad_request", `One step waits at most ${maxWaitMs / 1000} s; found ${seconds} s.`)
  return { kind: "wait", ms }
}

function parseLines(step: string): MacroStep {
  const lines: { dtr?: boolean; rts?: boolean; break?: boolean } = {}
  for (const [pair] of step.matchAll(/[DRB][01]/g)) {
    // The pattern admits only the letters of the table.
    lines[names[pair[0] as keyof typeof names]] = pair[1] === "1"
  }
  return { kind: "set", ...lines }
}
