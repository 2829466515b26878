import { formatCursor, isMarkRecord, type Mark, type StreamRecord } from "@serialcast/contract"
import { endOf, type Position, startOf } from "@serialcast/records"
import type { RememberedWrite } from "../journal.ts"
import type { Segment } from "../shelf/segment.ts"

const maxWrites = 4_096
// What is read for them at an opening: the newest eight hundred, whatever is kept. Older ones are no client's business:
// whoever repeats a write does so at once.
const maxIndexBytes = 64 * 1024

/**
 * The newest writes of the `tx` stream, oldest first, as the ends of its newest segments tell them, and then `staged`,
 * which is of `epoch`.
 */
export async function rememberWrites(
  segments: readonly Segment[],
  { epoch, records }: { readonly epoch: string; readonly records: readonly StreamRecord[] },
): Promise<RememberedWrite[]> {
  const memory = new WriteMemory()
  for (const { segment, bytes } of await newestOf(segments)) {
    let position = segment.start
    memory.begin(segment.epoch, position)
    await segment.scanEnd(bytes, (frame, reader) => {
      const step = reader.step(frame, position)
      if (step === undefined) return
      const { entry, end } = step
      // In the middle of a segment, the first block says where it is.
      if (entry.kind === "block") memory.moveTo(entry.start)
      if (entry.kind === "block") position = entry.start
      if (entry.kind === "mark")
        memory.mark(entry.mark, { epoch: segment.epoch, position, timeUs: entry.timeUs })
      position = end
      memory.moveTo(end)
    })
  }
  const [first] = records
  if (first !== undefined) memory.begin(epoch, startOf(first))
  for (const record of records) {
    const { offset, timeUs } = record
    if (isMarkRecord(record)) {
      memory.mark(record.mark, { epoch, position: { offset, mark: record.mark.n }, timeUs })
    }
    memory.moveTo(endOf(record))
  }
  return memory.finish().slice(-maxWrites)
}

/** The newest segments, and how much of the end of each is read. */
async function newestOf(segments: readonly Segment[]): Promise<{ segment: Segment; bytes: number }[]> {
  const newest: { segment: Segment; bytes: number }[] = []
  let rest = maxIndexBytes
  for (const segment of segments.toReversed()) {
    if (rest <= 0) break
    newest.unshift({ segment, bytes: rest })
    rest -= await segment.indexBytes()
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
    const { client, id, by, bytes } = mark
    const from = this.#startOf(mark) ?? formatCursor({ epoch, ...before(position, bytes) })
    if (client === undefined) return
    const to = formatCursor({ epoch, ...position })
    const outcome =
      mark.kind === "drained"
        ? { kind: mark.kind, bytes, to, drainedUs: timeUs }
        : { kind: mark.kind, bytes, code: mark.code }
    this.#remember({ client, id, by, from, outcome, bytes })
  }

  /** Forgets that it has no end; undefined when its start stands before what is read here. */
  #startOf({ client, id }: Pick<RememberedWrite, "client" | "id">): string | undefined {
    const started = this.#started
    if (started?.mark.client === client && started?.mark.id === id) {
      this.#started = null
      return formatCursor({ epoch: started.epoch, ...started.from })
    }
    // One that a kill cut is refused by the next process, in its own epoch.
    const cut = this.#writes.get(keyOf({ client, id }))
    if (cut?.outcome !== null) return undefined
    this.#writes.delete(keyOf({ client, id }))
    return cut.from
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
    const bytes = Math.min(mark.bytes, this.#end.offset - from.offset)
    const { client, id, by } = mark
    this.#remember({ client, id, by, from: formatCursor({ epoch, ...from }), outcome: null, bytes })
  }

  #remember(write: RememberedWrite): void {
    this.#writes.delete(keyOf(write))
    this.#writes.set(keyOf(write), write)
  }
}

/** Where the bytes of a write begin that end at `position`. */
function before({ offset, mark }: Position, bytes: number): Position {
  return bytes === 0 ? { offset, mark } : { offset: Math.max(0, offset - bytes), mark: 0 }
}

/** Unambiguous, because a client's name has no slash. */
function keyOf({ client = "", id }: Pick<RememberedWrite, "client" | "id">): string {
  return `${client}/${id}`
}
