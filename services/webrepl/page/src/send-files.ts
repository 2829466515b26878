import type { BoardConnection } from "./board-connection.ts"
import { sizeText } from "./folder.ts"
import type { Progress } from "./transfers.ts"

export interface SendOptions {
  /** Where a file of this name goes. */
  readonly pathOf: (name: string) => string
  readonly progress: Progress
}

/** Puts one file after the other; answers what was done. Throws a sentence at the first that fails. */
export async function sendFiles(
  board: BoardConnection,
  files: readonly File[],
  { pathOf, progress }: SendOptions,
): Promise<string> {
  for (const [at, file] of files.entries()) {
    const text = `Sending ${file.name}${files.length === 1 ? "" : ` (${at + 1} of ${files.length})`}`
    progress(text)
    const bytes = await bytesOf(file)
    await board.put(pathOf(file.name), bytes, (sent) => progress(text, sent, bytes.byteLength))
  }
  const size = sizeText(files.reduce((sum, file) => sum + file.size, 0))
  const [first] = files
  const what = files.length === 1 && first !== undefined ? first.name : `${files.length} files`
  return `Sent ${what}, ${size}.`
}

async function bytesOf(file: File): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.arrayBuffer())
  } catch {
    // Of the reason browsers only say that the file could not be read.
    throw new Error(`${file.name} cannot be read; folders are not sent.`)
  }
}
