import type { ComPortAnswer, ComPortRequest } from "@serialcast/rfc2217"

/**
 * What the first answer to this kind of request says: undefined when there is none, null when it is nothing that RFC 2217
 * knows.
 */
export function answeredValue(
  kind: ComPortRequest["kind"],
  answers: readonly ComPortAnswer[],
): string | number | boolean | null | undefined {
  const answer = answers.find((candidate) => candidate.kind === kind)
  return answer !== undefined && "value" in answer ? answer.value : undefined
}
