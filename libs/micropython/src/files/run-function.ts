import { type RunOptions, runOwn } from "../board/run-program.ts"
import type { Session } from "../board/session.ts"

export interface BoardFunction {
  /** Before the function: what it imports, by whole lines. Default: nothing. */
  readonly imports?: string
  /** Its body, by lines, each at its indentation within the function. */
  readonly body: string
  /** Names of its arguments, and Python expressions for their values. */
  readonly given: Readonly<Record<string, string | number>>
}

/** Code that calls a function once: its variables are gone at its end, and none of the user's is touched. */
export function functionCode({ imports = "", body, given }: BoardFunction): string {
  const lines = body.split("\n").filter((line) => line.trim() !== "")
  const indented = lines.map((line) => ` ${line}\n`).join("")
  const before = imports === "" ? "" : `${indentLines(imports)}\n`
  return `def _sc(${Object.keys(given).join(",")}):\n${before}${indented}try:_sc(${Object.values(given).join(",")})\nfinally:del _sc\n`
}

/** Runs it, and answers what it printed; its exception is thrown as what it means. */
export function runFunction(
  session: Session,
  code: BoardFunction,
  options: RunOptions & { readonly what: string },
) {
  return runOwn(session, functionCode(code), options)
}

function indentLines(text: string): string {
  return text
    .split("\n")
    .map((line) => ` ${line}`)
    .join("\n")
}
