import { AppError } from "@serialcast/contract"
import type { BoardFiles, PutResult, RemoteFile } from "@serialcast/micropython"
import type { Request, Response } from "express"
import { flagOf } from "../api/query.ts"
import { bodyPieces } from "../body/body-pieces.ts"
import { startInterimAnswers } from "../body/interim-answers.ts"
import { refuseEncoding } from "../body/read-body.ts"
import { PacedResponse } from "../paced-response.ts"
import { boardPathOf } from "./board-path.ts"
import { entityTag, hasConditions, judgeConditions } from "./entity-tag.ts"
import { type BoardDeps, takeBoard } from "./take-board.ts"

/** A client that takes, or sends, nothing for so long is cut off: the board is kept from others meanwhile. */
const stallMs = 30_000

/** `GET …/files/<path>`: a file's bytes with the hash as its tag, or what is in a folder, as JSON; with `?all=true` all of it. */
export async function getFile(request: Request, response: Response, deps: BoardDeps): Promise<void> {
  const { path } = boardPathOf(request)
  const isAll = flagOf(request, "all", { absent: false })
  const end = await takeBoard(request, response, purposeOf("get", path), deps, async ({ files }, signal) => {
    const { kind, size } = await files.stat(path)
    if (kind === "directory") {
      const entries = await files.list(path, { isAll })
      return () => response.json({ entries })
    }
    const tag = entityTag(await files.hash(path))
    response.setHeader("ETag", tag)
    if (judgeConditions(request, tag) === "not modified") return () => response.status(304).end()
    response.setHeader("Content-Type", "application/octet-stream")
    if (request.method === "HEAD") return () => response.setHeader("Content-Length", size).end()
    return await sendFile(response, await files.get(path, { signal }), { ...deps, signal })
  })
  end()
}

/**
 * The head first, so a file that breaks off is cut, and nobody takes it for whole. The last piece is what is left to send: with it
 * the client has the file, and may want the board again.
 */
async function sendFile(
  response: Response,
  { size, bytes }: RemoteFile,
  { clock, turns, signal }: Pick<BoardDeps, "clock" | "turns"> & { readonly signal: AbortSignal },
): Promise<() => Response> {
  response.setHeader("Content-Length", size)
  const paced = new PacedResponse(response, { clock, stallMs, signal, turns })
  let last: Uint8Array = new Uint8Array(0)
  for await (const piece of bytes) {
    if (last.byteLength > 0) await paced.write(last)
    last = piece
  }
  return () => response.end(last)
}

/** `PUT …/files/<path>`: the body becomes the file, whole or not at all; below a path with a slash at its end, a folder. */
export async function putFile(request: Request, response: Response, deps: BoardDeps): Promise<void> {
  const { path, isFolder } = boardPathOf(request)
  refuseEncoding(request)
  const size = sizeOf(request)
  if (isFolder) return await makeFolder(request, response, { path, size }, deps)
  const result = await storeBody(request, response, { path, size }, deps)
  response.setHeader("ETag", entityTag(result.hash)).json({ path, ...result })
}

interface PutTarget {
  readonly path: string
  /** Of the body, in bytes. */
  readonly size: number
}

async function storeBody(
  request: Request,
  response: Response,
  { path, size }: PutTarget,
  deps: BoardDeps,
): Promise<PutResult> {
  // Boards are slow: what a client that died has sent before would keep one for minutes.
  using _interim = startInterimAnswers(request, response, deps.clock)
  return await takeBoard(request, response, purposeOf("put", path), deps, async ({ files }, signal) => {
    await judgeBefore(files, path, request)
    const bytes = bodyPieces(request, { ...deps, silentMs: stallMs })
    return await files.put(path, { size, bytes }, { signal })
  })
}

async function makeFolder(
  request: Request,
  response: Response,
  { path, size }: PutTarget,
  deps: BoardDeps,
): Promise<void> {
  if (size > 0)
    throw new AppError("bad_request", "A path with a slash at its end is a folder, and has no body.")
  await takeBoard(request, response, purposeOf("mkdir", path), deps, ({ files }) =>
    files.mkdir(path, { parents: true }),
  )
  response.status(204).end()
}

/** `DELETE …/files/<path>?recursive=` */
export async function deleteFile(request: Request, response: Response, deps: BoardDeps): Promise<void> {
  const { path } = boardPathOf(request)
  const recursive = flagOf(request, "recursive", { absent: false })
  await takeBoard(request, response, purposeOf("rm", path), deps, async ({ files }) => {
    await judgeBefore(files, path, request)
    await files.remove(path, { recursive })
  })
  response.status(204).end()
}

/** What is there is looked at only where a request depends on it. Throws `precondition_failed`. */
async function judgeBefore(files: BoardFiles, path: string, request: Request): Promise<void> {
  if (hasConditions(request)) judgeConditions(request, await tagOf(files, path))
}

/** null: there is no such file. */
async function tagOf(files: BoardFiles, path: string): Promise<string | null> {
  try {
    return entityTag(await files.hash(path))
  } catch (error) {
    if (error instanceof AppError && error.code === "no_such_file") return null
    throw error
  }
}

/** The board is told before the first byte. Throws `length_required`. */
function sizeOf({ headers }: Request): number {
  const { "content-length": length } = headers
  if (length !== undefined) return Number(length)
  throw new AppError("length_required", "The board must know how long the file is before it comes.")
}

/** Marks have room for so much. */
function purposeOf(verb: string, path: string): string {
  return `${verb} ${path.length <= 40 ? path : `…${path.slice(-39)}`}`.trim()
}
