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
