import type { WriteStream } from "node:tty"

/** Where a program writes to: a terminal, a pipe or a file. */
export interface Output {
  readonly isTerminal: boolean
  readonly hasColors: boolean
  /** How many characters a line of the terminal has, as it is now; beyond all bounds elsewhere. */
  readonly columns: number
  /**
   * Resolves when the system has taken `data`: to await it is to follow the reader's pace. Resolves at once after the
   * stop signal, for a reader that stands still must not keep the program. Rejects when the reader is gone.
   */
  write(data: string | Uint8Array): Promise<void>
}

export function createOutput(stream: WriteStream, signal: AbortSignal): Output {
  // Each write hears of its own failure; without a listener the stream would end the process.
  stream.on("error", () => {})
  const isTerminal = stream.isTTY
  const waiting = new Set<() => void>()
  signal.addEventListener("abort", () => {
    for (const resolve of waiting) resolve()
  })
  return {
    isTerminal,
    hasColors: isTerminal && stream.hasColors(),
    get columns() {
      // A terminal that does not know says 0.
      return isTerminal && stream.columns > 0 ? stream.columns : Number.POSITIVE_INFINITY
    },
    write: (data) =>
      new Promise((resolve, reject) => {
        waiting.add(resolve)
        stream.write(data, (error) => {
          waiting.delete(resolve)
          if (error) reject(error)
          else resolve()
        })
        if (signal.aborted) resolve()
      }),
  }
}

/** Whether whoever read our output has gone, as `head` does when it has enough. */
export function isReaderGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EPIPE"
}
