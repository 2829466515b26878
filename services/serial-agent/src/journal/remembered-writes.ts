import { formatCursor, type Mark } from "@serialcast/contract"
import type { Position } from "@serialcast/device-stream"
import type { Files } from "./files.ts"
import type { RememberedWrite } from "./journal.ts"
import { endOfEntry } from "./read-records.ts"
import type { Segment } from "./segment.ts"

const maxWrites = 4_096
// What is read for them at an opening, or one segment if that is more.
const maxIndexBytes = 8 * 1024 * 1024

/** The newest writes of the `tx` stream, oldest first, as the newest of its segments tell them. */
export async function rememberWrites(files: Files, segments: readonly Segment[]): Promise<RememberedWrite[]> {
  const memory = new WriteMemory()
  for (const segment of newestOf(segments)) {
    const { epoch } = segment
    const index = await files.open(segment.path("index"), "r")
    try {
      await segment.scan(index, ({ entry, position }) => {
        if (entry.kind === "header") memory.begin(epoch, entry.start)
        if (entry.kind === "mark") memory.mark(entry.mark, { epoch, position, timeUs: entry.timeUs })
        memory.moveTo(endOfEntry(entry))
        return "on"
      })
    } finally {
      await files.close(index)
    }
  }
  return memory.finish().slice(-maxWrites)
}

function newestOf(segments: readonly Segment[]): Segment[] {
  const newest: Segment[] = []
  let indexBytes = 0
  for (const segment of segments.toReversed()) {
    indexBytes += segment.extent.indexBytes
    if (newest.length > 0 && indexBytes > maxIndexBytes) break
    newest.unshift(segment)
  }
  return newest
}

interface MarkPlace {
  readonly epoch: string
  readonly position: Position
  readonly timeUs: number
}

interface Started {
  readonly mark: Extract<Mark, { kind: "started" }>
  readonly epoch: string
  readonly from: Position
}

/** Puts the marks of writes together. Bytes of two writes are never mixed, so at most one is under way. */
class WriteMemory {
  /** By client and id; the newest last. */
  readonly #writes = new Map<string, RememberedWrite>()
  #started: Started | null = null
  #end: Position = { offset: 0, mark: 0 }

  begin(epoch: string, start: Position): void {
    if (this.#started?.epoch !== epoch) this.#interrupt()
    this.#end = start
  }

  moveTo(end: Position): void {
    this.#end = end
  }

  mark(mark: Mark, { epoch, position, timeUs }: MarkPlace): void {
    if (mark.kind === "started") {
      this.#interrupt()
      this.#started = { mark, epoch, from: { offset: position.offset, mark: mark.n + 1 } }
    }
    if (mark.kind !== "drained" && mark.kind !== "refused") return
    const started = this.#started
    const isStarted = started?.mark.client === mark.client && started?.mark.id === mark.id
    if (isStarted) this.#started = null
    const { client, id, bytes } = mark
    if (client === undefined) return
    // The start of a write may stand before what is read here: its bytes then end here.
    const unseen = bytes === 0 ? position : { offset: position.offset - bytes, mark: 0 }
    const from = formatCursor({ epoch, ...(isStarted && started !== null ? started.from : unseen) })
    const to = formatCursor({ epoch, ...position })
    const outcome =
      mark.kind === "drained"
        ? { kind: mark.kind, bytes, to, drainedUs: timeUs }
        : { kind: mark.kind, bytes, code: mark.code }
    this.#remember({ client, id, from, outcome, bytes })
  }

  finish(): RememberedWrite[] {
    this.#interrupt()
    return [...this.#writes.values()]
  }

  /** What was under way had no end. */
  #interrupt(): void {
    if (this.#started === null) return
    const { mark, epoch, from } = this.#started
    this.#started = null
    if (mark.client === undefined) return
    const bytes = Math.min(mark.bytes, this.#end.offset - from.offset)
    const { client, id } = mark
    this.#remember({ client, id, from: formatCursor({ epoch, ...from }), outcome: null, bytes })
  }

  #remember(write: RememberedWrite): void {
    const key = `${write.client}/${write.id}`
    this.#writes.delete(key)
    this.#writes.set(key, write)
  }
}
