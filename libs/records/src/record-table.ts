/** As with bytes: little for a quiet device, and the objects of a block are 1 byte for each row. */
const blockRows = 512
const rowBytes = 8 + 8 + 4

/** Above every number of a mark: `maxMarksAtOffset` has 30 bits. */
const isMarkFlag = 0x8000_0000

interface Block {
  readonly offsets: Float64Array
  readonly timesUs: Float64Array
  /** A mark's own number with `isMarkFlag`; of a chunk, how many marks stand before it. */
  readonly marks: Uint32Array
  latestUs: number
}

/**
 * Rows of records in reading order, 20 bytes each, numbered from 0 for as long as the table lives. They lie in blocks of
 * one size: what is dropped in front gives its block to what is added behind.
 */
export class RecordTable {
  #blocks: Block[] = []
  /** Number of the first block's first row. */
  #blockFirst = 0
  #first = 0
  #end = 0
  #spare: Block | null = null

  /** Number of the oldest row. */
  get first(): number {
    return this.#first
  }

  /** Number of the next row. */
  get end(): number {
    return this.#end
  }

  addChunk(offset: number, timeUs: number, marksBefore: number): void {
    this.#add(offset, timeUs, marksBefore)
  }

  addMark(offset: number, timeUs: number, mark: number): void {
    this.#add(offset, timeUs, mark + isMarkFlag)
  }

  offsetOf(row: number): number {
    return this.#blockOf(row).offsets[row % blockRows] ?? 0
  }

  timeUsOf(row: number): number {
    return this.#blockOf(row).timesUs[row % blockRows] ?? 0
  }

  isMark(row: number): boolean {
    return this.#marksOf(row) >= isMarkFlag
  }

  /** A mark's number; of a chunk, how many marks stand before it. */
  markOf(row: number): number {
    const marks = this.#marksOf(row)
    return marks >= isMarkFlag ? marks - isMarkFlag : marks
  }

  dropFirst(): void {
    this.#first++
    if (this.#first - this.#blockFirst < blockRows) return
    // One is enough to go on with; others are of a time when more was kept.
    this.#spare = this.#blocks.shift() ?? null
    this.#blockFirst += blockRows
  }

  /**
   * The first row of this time or later; `end` when all are older. Clocks are set back: only the latest time of a block
   * says what is in it.
   */
  findTime(timeUs: number): number {
    for (const [index, { latestUs }] of this.#blocks.entries()) {
      if (latestUs < timeUs) continue
      const start = this.#blockFirst + index * blockRows
      const end = Math.min(start + blockRows, this.#end)
      for (let row = Math.max(start, this.#first); row < end; row++)
        if (this.timeUsOf(row) >= timeUs) return row
    }
    return this.#end
  }

  #add(offset: number, timeUs: number, mark: number): void {
    const at = this.#end % blockRows
    const block = at === 0 ? this.#addBlock() : this.#blockOf(this.#end)
    block.offsets[at] = offset
    block.timesUs[at] = timeUs
    block.marks[at] = mark
    if (timeUs > block.latestUs) block.latestUs = timeUs
    this.#end++
  }

  #marksOf(row: number): number {
    return this.#blockOf(row).marks[row % blockRows] ?? 0
  }

  #blockOf(row: number): Block {
    const block = this.#blocks[Math.floor((row - this.#blockFirst) / blockRows)]
    if (block === undefined) throw new Error(`There is no row ${row} from ${this.#first} to ${this.#end}.`)
    return block
  }

  #addBlock(): Block {
    const block = this.#spare ?? createBlock()
    this.#spare = null
    block.latestUs = Number.NEGATIVE_INFINITY
    this.#blocks.push(block)
    return block
  }
}

function createBlock(): Block {
  const buffer = new ArrayBuffer(blockRows * rowBytes)
  return {
    offsets: new Float64Array(buffer, 0, blockRows),
    timesUs: new Float64Array(buffer, blockRows * 8, blockRows),
    marks: new Uint32Array(buffer, blockRows * 16, blockRows),
    latestUs: Number.NEGATIVE_INFINITY,
  }
}
