/** Where nobody else is told of an error. */
export function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error))
}
