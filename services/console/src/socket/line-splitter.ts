/** Turns device bytes into lines of text, for clients that know nothing else. */
export interface LineSplitter {
  /** A line has begun and its end has not come. */
  readonly isHolding: boolean
  /** The lines that `bytes` completed, without LF; a CR stays. */
  push(bytes: Uint8Array): string[]
  /** The unfinished line, if any; what follows is a line of its own. A character cut in half waits for its rest. */
  flush(): string[]
  /** As `flush`, where nothing that follows belongs to what came before: half a character becomes U+FFFD. */
  end(): string[]
}

/**
 * Lines longer than `maxLength` (in UTF-16 units, at least 2) come in pieces, so a device that never sends LF costs no
 * more. Bytes that are not UTF-8 become U+FFFD, because a text frame must be UTF-8 (RFC 6455 §8.1).
 */
export function createLineSplitter({ maxLength }: { readonly maxLength: number }): LineSplitter {
  // A byte order mark is a device byte like any other.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  let pending = ""

  function split(text: string): string[] {
    const lines: string[] = []
    for (const [index, part] of text.split("\n").entries()) {
      if (index > 0) {
        lines.push(pending)
        pending = ""
      }
      pending += part
      while (pending.length > maxLength) lines.push(cut())
    }
    return lines
  }

  function cut(): string {
    const length = isHighSurrogate(pending.charCodeAt(maxLength - 1)) ? maxLength - 1 : maxLength
    const piece = pending.slice(0, length)
    pending = pending.slice(length)
    return piece
  }

  function flush(): string[] {
    if (pending === "") return []
    const line = pending
    pending = ""
    return [line]
  }

  return {
    get isHolding() {
      return pending !== ""
    },
    push: (bytes) => split(decoder.decode(bytes, { stream: true })),
    flush,
    end: () => [...split(decoder.decode()), ...flush()],
  }
}

// Half of a pair alone would reach the client as U+FFFD.
function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00
}
