import { toAppError } from "@serialcast/contract"

/**
 * What a program says on standard error before it ends: one line with what is wrong and what to do; a list when there
 * are several problems. Only an unforeseen error shows where in the code it came from.
 */
export function failureText(name: string, cause: unknown): string {
  const error = toAppError(cause)
  const problems = error.message.split("\n")
  const said =
    problems.length === 1
      ? `${error.message.replace(/[^.!?]$/, "$&.")} ${error.fix}`
      : `${problems.length} problems:\n  ${problems.join("\n  ")}\n${error.fix}`
  const trace = error.code === "internal" && cause instanceof Error ? `\n${cause.stack}` : ""
  return `serialcast ${name}: ${said}${trace}\n`
}
