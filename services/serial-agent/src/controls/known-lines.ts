import type { ModemLines } from "@serialcast/contract"
import type { Journal } from "@serialcast/journal"
import { type OpenPort, startLineWatch } from "@serialcast/ports"
import type { Clock } from "@serialcast/primitives"

export interface KnownLinesDeps {
  readonly clock: Clock
  readonly journal: Pick<Journal, "mark">
  readonly onChange: () => void
}

/** The modem lines of one device as they were seen last, with a mark for each change. */
export class KnownLines {
  readonly #deps: KnownLinesDeps
  #lines: ModemLines | null = null
  #watching = new AbortController()
  #reading: Promise<ModemLines | null> | null = null
  /** Changes by callers that are in progress. */
  #signalling = 0

  constructor(deps: KnownLinesDeps) {
    this.#deps = deps
  }

  get lines(): ModemLines | null {
    return this.#lines
  }

  attach(port: OpenPort): void {
    this.#watching = new AbortController()
    const { clock } = this.#deps
    startLineWatch({
      port,
      clock,
      onChange: (lines) => this.#onWatched(lines),
      signal: this.#watching.signal,
    })
  }

  detach(): void {
    this.#watching.abort()
    this.#lines = null
    this.#reading = null
  }

  /** Until it is disposed, what the watch sees may be the caller's doing; the caller says with `set` what it was. */
  signalling(): Disposable {
    this.#signalling++
    return { [Symbol.dispose]: () => void this.#signalling-- }
  }

  /** Lines as `by` changed them. */
  set(lines: ModemLines | null, by: string | null): void {
    if (this.#watching.signal.aborted || lines === null || isSame(lines, this.#lines)) return
    this.#lines = lines
    this.#deps.journal.mark("rx", { kind: "lines", by, lines })
    this.#deps.onChange()
  }

  /** Reads them from the port; everybody who asks meanwhile gets the same reading. */
  async read(
    port: OpenPort,
    inTime: (reading: Promise<ModemLines | null>) => Promise<ModemLines | null>,
  ): Promise<ModemLines | null> {
    if (this.#reading !== null) return await this.#reading
    const reading = inTime(port.readLines())
    this.#reading = reading
    try {
      return await reading
    } finally {
      if (this.#reading === reading) this.#reading = null
    }
  }

  #onWatched(lines: ModemLines): void {
    if (this.#signalling === 0) this.set(lines, null)
  }
}

function isSame(lines: ModemLines, known: ModemLines | null): boolean {
  const names = Object.keys(lines)
  return (
    known !== null &&
    names.length === Object.keys(known).length &&
    names.every((name) => lines[name] === known[name])
  )
}
