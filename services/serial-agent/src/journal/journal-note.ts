import { join } from "node:path"
import { isEpoch, type StreamName } from "@serialcast/contract"
import type { Logger } from "@serialcast/service-kit"
import { errorCodeOf } from "./disk-error.ts"
import type { Files } from "./files.ts"

/** A segment, and how large it was when the note was written. */
export interface NotedSegment {
  readonly name: string
  readonly dataBytes: number
  readonly indexBytes: number
}

/** That the journal has on disk all that it showed: without this note, an epoch is not gone on with. */
export interface NoteContent {
  readonly epoch: string
  /** Of the system that it was written under; null: not known. */
  readonly bootId: string | null
  /** It was closed in order, and is on the medium. */
  readonly isClean: boolean
  /** What must be there, and not smaller. */
  readonly newest: Readonly<Record<StreamName, NotedSegment>>
}

const fileName = "journal.json"
const maxNoteBytes = 4096
const format = 1

/** The note of one device's journal: a file that is replaced as a whole. */
export class JournalNote {
  readonly #path: string
  readonly #folder: string
  readonly #files: Files
  readonly #log: Logger
  #last: Promise<void> = Promise.resolve()
  /** What was written last, or tried to; undefined: nothing. */
  #asked: string | null | undefined

  constructor(folder: string, { files, log }: { readonly files: Files; readonly log: Logger }) {
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
      const { inode } = await this.#files.status(file)
      return parseNote(new TextDecoder().decode(bytes.subarray(0, length)), inode)
    } finally {
      await this.#files.close(file)
    }
  }

  /** Resolves when the disk has the note, or, for null, has none. One that cannot be written is taken away. */
  async write(content: NoteContent | null): Promise<void> {
    const text = content === null ? null : JSON.stringify(content)
    this.#last = this.#last.then(async () => {
      if (text === this.#asked) return
      this.#asked = text
      try {
        await (content === null ? this.#remove() : this.#replace(content))
      } catch (error) {
        this.#log.warn({ reason: String(error) }, "the journal's note cannot be written")
        // The same disk may refuse this as well, and that was just said.
        await this.#remove().catch(() => {})
      }
    })
    await this.#last
  }

  async #remove(): Promise<void> {
    try {
      await this.#files.remove(this.#path)
    } catch (error) {
      if (errorCodeOf(error) !== "ENOENT") throw error
    }
  }

  async #replace(content: NoteContent): Promise<void> {
    const draft = `${this.#path}.new`
    const file = await this.#files.open(draft, "w+")
    try {
      const { inode } = await this.#files.status(file)
      await this.#files.write(
        file,
        new TextEncoder().encode(JSON.stringify({ format, inode, ...content })),
        0,
      )
      // After a power failure only a clean note counts, so others need not outlive one.
      if (content.isClean) await this.#files.sync(file)
    } finally {
      await this.#files.close(file)
    }
    await this.#files.rename(draft, this.#path)
    if (content.isClean) await this.#files.syncFolder(this.#folder)
  }
}

function parseNote(text: string, inode: string): NoteContent | null {
  let note: Partial<NoteContent & { format: number; inode: string }>
  try {
    note = JSON.parse(text) ?? {}
  } catch {
    // Cut short by a power failure, or written by somebody else: as good as none.
    return null
  }
  const { epoch, bootId = null, isClean = false, newest } = note
  if (note.format !== format || note.inode !== inode) return null
  if (typeof epoch !== "string" || !isEpoch(epoch)) return null
  if (newest?.rx === undefined || newest.tx === undefined) return null
  return { epoch, bootId, isClean, newest }
}
