/** Lines that were sent, for going back to with the arrow keys. */
export interface SendHistory {
  add(line: string): void
  /** The line before the one shown; undefined at the oldest. `draft` comes back at the newest end. */
  older(draft: string): string | undefined
  /** The line after the one shown, in the end the draft; undefined past it. */
  newer(): string | undefined
}

export function createSendHistory({ capacity }: { readonly capacity: number }): SendHistory {
  const lines: string[] = []
  let shown = 0
  let draft = ""
  return {
    add(line) {
      if (line !== "" && line !== lines.at(-1)) lines.push(line)
      if (lines.length > capacity) lines.shift()
      shown = lines.length
    },
    older(text) {
      if (shown === 0) return undefined
      if (shown === lines.length) draft = text
      shown -= 1
      return lines[shown]
    },
    newer() {
      if (shown === lines.length) return undefined
      shown += 1
      return shown === lines.length ? draft : lines[shown]
    },
  }
}
