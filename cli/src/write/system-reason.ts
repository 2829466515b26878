/**
 * Why the system refused something: `ENOENT: no such file or directory`, without the call and its path, which is said beside
 * it or is one that nobody knows.
 */
export function systemReason(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause)
  return message.replace(/, \w+( '.*)?$/s, "")
}
