import { AppError } from "@serialcast/contract"
import type { Session } from "../board/session.ts"
import type { FileSource, PutOptions, PutResult } from "./board-files.ts"
import type { BoardFeatures } from "./features.ts"
import { createFileHasher, hashCodes, hashOf } from "./hash-code.ts"
import { hashFile } from "./hash-file.ts"
import { pathLiteral } from "./path-name.ts"
import { ReceiveLoop } from "./receive-loop.ts"
import { runFunction } from "./run-function.ts"
import { SourceReader } from "./source-reader.ts"
import { StatementWriter } from "./statement-writer.ts"
import { type TemporaryNames, temporaryNames } from "./temporary-names.ts"
import type { PartWriter, WriteOptions } from "./write-part.ts"

/** What an earlier try left is compared, and gone on with, by whole blocks. */
const blockBytes = 4_096
/** Hashes of so many blocks are 64 MiB of a file. */
const maxBlocksText = 1_048_576
/** What is asked of the source at a time. */
const readBytes = 1_024
const silenceMs = 20_000
const longestMs = 3_600_000

export interface PutRequest {
  readonly path: string
  readonly source: FileSource
  readonly features: BoardFeatures
  readonly softwareFlowControl: boolean
  readonly options: PutOptions
}

/**
 * Writes a file beside its target, goes on with what an earlier try left of it, has the board read it again and compares, and
 * only then lets it take the target's place.
 */
export async function putFile(session: Session, request: PutRequest): Promise<PutResult> {
  const { path, source, features, options } = request
  const names = temporaryNames(path)
  const reader = new SourceReader(session, source, options.signal)
  try {
    const blocks = await prepare(session, request, names)
    const { offset, hex } = await send(session, { request, names, reader, blocks }).catch(
      async (error: unknown) => {
        // What was cut is gone on with; what has no room only takes it from others.
        if (error instanceof AppError && error.code === "no_space") await removeQuietly(session, names.part)
        throw error
      },
    )
    const found = await hashFile(session, names.part, { algorithm: features.hash, signal: options.signal })
    if (found.hex !== hex) {
      await removeQuietly(session, names.part)
      throw new AppError(
        "transfer_failed",
        `What the board has of ${path} is not what was sent; nothing was changed.`,
      )
    }
    await takePlace(session, path, names)
    return { size: source.size, resumedBytes: offset, hash: found }
  } finally {
    reader.close()
  }
}

/**
 * Heals what an earlier put left when the board lost its power between the two renames, and hashes each block of what came of
 * one that was cut; what is longer than the new file is none of it.
 */
const prepareBody = (features: BoardFeatures) => {
  const { begin, step, hex } = hashCodes[features.hash]
  return `
def k(x):
 try:return os.stat(x)
 except OSError:return None
s=k(p)
if s and s[0]&0x4000:raise OSError(21)
if k(w):
 if s:os.remove(w)
 else:os.rename(w,p)
s=k(t)
if s and s[6]<=n:
 with open(t,'rb') as f:
  for i in range(s[6]//${blockBytes}):
   ${begin}
   for j in range(8):
    d=f.read(512)
    ${step}
   print(${hex})
`
}

async function prepare(
  session: Session,
  { path, source, features, options: { signal } }: PutRequest,
  names: TemporaryNames,
): Promise<readonly string[]> {
  const given = {
    p: pathLiteral(path),
    t: pathLiteral(names.part),
    w: pathLiteral(names.whole),
    n: source.size,
  }
  const imports = `import os\n${hashCodes[features.hash].imports}`.trim()
  const text = await runFunction(
    session,
    { imports, body: prepareBody(features), given },
    {
      what: `put of ${path}`,
      timeoutMs: longestMs,
      silenceMs,
      maxOutputBytes: maxBlocksText,
      ...(signal === undefined ? {} : { signal }),
    },
  )
  return text.split(/\s+/).filter((line) => line !== "")
}

interface Sending {
  readonly request: PutRequest
  readonly names: TemporaryNames
  readonly reader: SourceReader
  readonly blocks: readonly string[]
}

async function send(session: Session, { request, names, reader, blocks }: Sending) {
  const { features, options, path } = request
  const hasher = createFileHasher(features.hash)
  let offset = 0
  let ahead: Uint8Array = new Uint8Array(0)
  for (const block of blocks) {
    ahead = await reader.take(blockBytes)
    hasher.update(ahead)
    if (hashOf(features.hash, ahead) !== block) break
    offset += ahead.byteLength
    ahead = ahead.subarray(ahead.byteLength)
  }
  let doneBytes = offset
  options.onProgress?.(doneBytes)
  const writer = createWriter(session, request, {
    path: names.part,
    offset,
    leftBytes: ahead.byteLength + reader.leftBytes,
    softwareFlowControl: request.softwareFlowControl,
    hasBase64: features.hasBase64,
    what: `put of ${path}`,
    onWritten: (bytes) => options.onProgress?.((doneBytes += bytes)),
  })
  await writer.begin()
  await feed(session, {
    writer,
    reader,
    ahead,
    signal: options.signal,
    onRead: (bytes) => hasher.update(bytes),
  })
  return { offset, hex: hasher.hex() }
}

function createWriter(session: Session, { features }: PutRequest, options: WriteOptions): PartWriter {
  return features.hasBinaryInput && features.hasBinaryOutput
    ? new ReceiveLoop(session, options)
    : new StatementWriter(session, options)
}

interface Feeding {
  readonly writer: PartWriter
  readonly reader: SourceReader
  /** Read already, and hashed. */
  readonly ahead: Uint8Array
  readonly signal: AbortSignal | undefined
  readonly onRead: (bytes: Uint8Array) => void
}

async function feed(session: Session, { writer, reader, ahead, signal, onRead }: Feeding): Promise<void> {
  const next = async () => {
    session.checkAborted(signal)
    const data = await reader.take(readBytes)
    onRead(data)
    return data
  }
  let data = ahead
  for (;;) {
    await writer.write(data)
    data = await next().catch(async (error: unknown) => {
      // The source, or whoever asked, gave up: the board is to stop waiting.
      await writer.giveUp().catch(() => {})
      throw error
    })
    if (data.byteLength === 0) break
  }
  await writer.end()
  await reader.end()
}

/** FAT does not rename over a file: the old one is removed between two calls of one program on the board. */
const takePlaceBody = `
os.rename(t,w)
try:os.rename(w,p)
except OSError:
 try:os.remove(p)
 except OSError:pass
 os.rename(w,p)
if hasattr(os,'sync'):os.sync()
`

async function takePlace(session: Session, path: string, names: TemporaryNames): Promise<void> {
  const given = { p: pathLiteral(path), t: pathLiteral(names.part), w: pathLiteral(names.whole) }
  await runFunction(session, { imports: "import os", body: takePlaceBody, given }, { what: `put of ${path}` })
}

async function removeQuietly(session: Session, path: string): Promise<void> {
  const given = { p: pathLiteral(path) }
  const what = `remove ${path}`
  // What was wrong with the file is the better reason.
  await runFunction(session, { imports: "import os", body: "os.remove(p)", given }, { what }).catch(() => {})
}
