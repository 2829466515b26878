/** What a device says is looked at up to here, in bytes: it may be anything. */
const maxLineBytes = 4_096

/** What a line answers: the first group of `pattern`, or the line where it has none; null: it is another one. */
export function matchReply(pattern: RegExp, line: Uint8Array): Uint8Array | null {
  if (line.byteLength > maxLineBytes) return null
  const found = pattern.exec(new TextDecoder().decode(line))
  if (found === null) return null
  const [, group] = found
  return group === undefined ? line : new TextEncoder().encode(group)
}
