import { join } from "node:path"
import { isEpoch, type StreamName } from "@serialcast/contract"
import type { Position } from "@serialcast/records"
import { errorCodeOf } from "../disk/disk-error.ts"
import type { Files } from "../disk/files.ts"
import type { Log } from "../log.ts"

/** A segment, and how large it was when the note was written. */
export interface NotedSegment {
  readonly name: string
  readonly dataBytes: number
  readonly indexBytes: number
  /** Where it ends in the stream; null: the note is of a version that did not say. */
  readonly end: Position | null
  /** When its last record was made, in microseconds since 1970. */
  readonly lastUs: number
}

/** When the note was written, by both clocks. */
export interface NotedTime {
  readonly wallUs: number
  readonly monotonicMs: number
}

/** Says that an epoch may be gone on with. */
export interface NoteContent {
  readonly epoch: string
  /** Of the system that it was written under; null: not known. */
  readonly bootId: string | null
  /** It was closed in order, and all of it is on the medium. */
  readonly isClean: boolean
  /** Names the stage that has what is not in the files; null: there is none, so what was shown is in the files. */
  readonly stage: string | null
  /** How often the port had been opened. */
  readonly opens: number
  /** What must be there, and, if it is clean, what is valid; null: the stream has no segment. */
  readonly newest: Readonly<Record<StreamName, NotedSegment | null>>
  readonly time: NotedTime | null
}

const fileName = "journal.json"
const maxNoteBytes = 4096
const format = 2

/** The note of one device's journal: a file that is replaced as a whole. */
export class JournalNote {
  readonly #path: string
  readonly #folder: string
  readonly #files: Files
  readonly #log: Log
  #last: Promise<boolean> = Promise.resolve(true)
  /** What was written last, or tried to; undefined: nothing. */
  #asked: string | null | undefined

  constructor(folder: string, { files, log }: { readonly files: Files; readonly log: Log }) {
    this.#path = join(folder, fileName)
    this.#folder = folder
    this.#files = files
    this.#log = log
  }

  /** null when there is none, or it is not this file's own: of a copy, newer bytes may be published already. */
  async read(): Promise<NoteContent | null> {
    let file: number
    try {
      file = await this.#files.open(this.#path, "r")
    } catch (error) {
      if (errorCodeOf(error) === "ENOENT") return null
      throw error
    }
    try {
      const bytes = new Uint8Array(maxNoteBytes)
      const length = await this.#files.read(file, bytes, 0)
      const { inode, born } = await this.#files.status(file)
      return parseNote(new TextDecoder().decode(bytes.subarray(0, length)), { inode, born })
    } finally {
      await this.#files.close(file)
    }
  }

  /**
   * Resolves when the disk has the note, or, for null, has none: false when it has not. One that cannot be written is taken
   * away. `isOnMedium`: it is there after a power failure too.
   */
  async write(content: NoteContent | null, isOnMedium = content?.isClean ?? false): Promise<boolean> {
    const text = content === null ? null : JSON.stringify({ ...content, time: null })
    this.#last = this.#last.then(async (isDone) => {
      if (text === this.#asked) return isDone
      this.#asked = text
      try {
        await (content === null ? this.#remove() : this.#replace(content, isOnMedium))
        return true
      } catch (error) {
        this.#log.warn({ reason: String(error) }, "the journal's note cannot be written")
        // The same disk may refuse this as well, and that was just said.
        await this.#remove().catch(() => {})
        this.#asked = undefined
        return false
      }
    })
    return await this.#last
  }

  /** Resolves when nothing is under way. */
  async written(): Promise<void> {
    await this.#last
  }

  async #remove(): Promise<void> {
    try {
      await this.#files.remove(this.#path)
    } catch (error) {
      if (errorCodeOf(error) !== "ENOENT") throw error
    }
  }

  async #replace(content: NoteContent, isOnMedium: boolean): Promise<void> {
    await this.#files.makeFolder(this.#folder)
    const draft = `${this.#path}.new`
    const file = await this.#files.open(draft, "w+")
    try {
      const own = await this.#files.status(file)
      const text = JSON.stringify({ format, inode: own.inode, born: own.born, ...content })
      await this.#files.write(file, new TextEncoder().encode(text), 0)
      if (isOnMedium) await this.#files.sync(file)
    } finally {
      await this.#files.close(file)
    }
    await this.#files.rename(draft, this.#path)
    if (isOnMedium) await this.#files.syncFolder(this.#folder)
  }
}

interface Own {
  readonly inode: string
  readonly born: string | null
}

type Wire = Partial<
  Omit<NoteContent, "newest"> &
    Own & { format: number; newest: Record<StreamName, Partial<NotedSegment> | null> }
>

function parseNote(text: string, own: Own): NoteContent | null {
  let note: Wire
  try {
    note = JSON.parse(text) ?? {}
  } catch {
    // Cut short by a power failure, or written by somebody else: as good as none.
    return null
  }
  const { epoch, bootId = null, isClean = false, stage = null, opens = 0, newest, time = null } = note
  if ((note.format !== 1 && note.format !== format) || !isOwn(note, own)) return null
  if (typeof epoch !== "string" || !isEpoch(epoch) || newest === undefined) return null
  const [rx, tx] = [parseSegment(newest.rx), parseSegment(newest.tx)]
  if (rx === undefined || tx === undefined) return null
  return { epoch, bootId, isClean, stage, opens, newest: { rx, tx }, time }
}

/**
 * A file system that makes up the numbers of its files anew at each mount, as vfat does, still knows when they were made;
 * and a copy is made later than what it is of.
 */
function isOwn(note: Wire, { inode, born }: Own): boolean {
  return note.inode === inode || (born !== null && note.born === born)
}

/** undefined when it is none. */
function parseSegment(wire: Partial<NotedSegment> | null | undefined): NotedSegment | null | undefined {
  if (wire === null) return null
  const { name, dataBytes, indexBytes, end = null, lastUs = 0 } = wire ?? {}
  if (name === undefined || dataBytes === undefined || indexBytes === undefined) return undefined
  return { name, dataBytes, indexBytes, end, lastUs }
}
