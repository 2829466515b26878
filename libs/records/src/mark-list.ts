import type { Mark } from "@serialcast/contract"

interface Entry {
  readonly row: number
  readonly mark: Mark
  /** Of all marks before it, dropped ones too. */
  readonly costBefore: number
}

/** The marks among the rows of a table: few, and found by their row. */
export class MarkList {
  #entries: (Entry | undefined)[] = []
  /** Entries before this place are dropped and wait to be cut off. */
  #first = 0
  #costUntilEnd = 0

  add(row: number, mark: Mark, costBytes: number): void {
    this.#entries.push({ row, mark, costBefore: this.#costUntilEnd })
    this.#costUntilEnd += costBytes
  }

  /** What all of them cost, in bytes. */
  get costBytes(): number {
    return this.#costUntilEnd - (this.#entries[this.#first]?.costBefore ?? this.#costUntilEnd)
  }

  /** The mark of a row, which must be one. */
  at(row: number): Mark {
    const entry = this.#entries[this.#find(row)]
    if (entry?.row !== row) throw new Error(`Row ${row} is no mark.`)
    return entry.mark
  }

  /** What the marks from a row on cost, in bytes. */
  costFrom(row: number): number {
    const entry = this.#entries[this.#find(row)]
    return entry === undefined ? 0 : this.#costUntilEnd - entry.costBefore
  }

  dropFirst(): void {
    this.#entries[this.#first] = undefined
    this.#first++
    // Cutting in bulk keeps dropping at constant cost.
    if (this.#first < 64 || this.#first * 2 < this.#entries.length) return
    this.#entries = this.#entries.slice(this.#first)
    this.#first = 0
  }

  /** The place of the first mark at or after a row. */
  #find(row: number): number {
    let low = this.#first
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#entries[middle]?.row ?? 0) < row) low = middle + 1
      else high = middle
    }
    return low
  }
}
