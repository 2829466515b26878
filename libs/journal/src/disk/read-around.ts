import { errorCodeOf } from "./disk-error.ts"
import type { Files } from "./files.ts"

// What disks and file systems fail at once: a page.
const pageBytes = 4096
// What a medium answers for one place, and says nothing of the others (read(2)).
const placeErrors: ReadonlySet<string | undefined> = new Set([
  "EIO",
  "EBADMSG",
  "EUCLEAN",
  "ENODATA",
  "EILSEQ",
])

/** An error of one place on the medium: what is elsewhere may be read. */
export function isPlaceError(error: unknown): boolean {
  return placeErrors.has(errorCodeOf(error))
}

/**
 * As `Files.read`, but what the disk cannot read is zeros: checksums tell them from what was written. So a bad place costs
 * what is there, and nothing beside it.
 */
export async function readAround(
  files: Files,
  file: number,
  into: Uint8Array,
  position: number,
): Promise<number> {
  if (into.byteLength === 0) return 0
  try {
    return await files.read(file, into, position)
  } catch (error) {
    if (!isPlaceError(error)) throw error
  }
  let done = 0
  while (done < into.byteLength) {
    const toPageEnd = pageBytes - ((position + done) % pageBytes)
    const part = into.subarray(done, done + toPageEnd)
    const got = await readPart(files, file, part, position + done)
    done += got
    if (got < part.byteLength) break
  }
  return done
}

async function readPart(files: Files, file: number, part: Uint8Array, position: number): Promise<number> {
  try {
    return await files.read(file, part, position)
  } catch (error) {
    if (!isPlaceError(error)) throw error
    part.fill(0)
    return part.byteLength
  }
}
