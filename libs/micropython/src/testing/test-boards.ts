import { randomUUID } from "node:crypto"
import type { Board } from "../board/board.ts"
import { type TakeBoardOptions, takeBoard } from "../board/take-board.ts"
import type { FileSource } from "../files/board-files.ts"
import { createBoardWire } from "./board-wires.ts"
import type { GenuineBoard } from "./genuine-board.ts"

export async function takeGenuine(
  genuine: GenuineBoard,
  options: Partial<Omit<TakeBoardOptions, "clock">> = {},
): Promise<Board> {
  const { wire, clock } = createBoardWire(genuine)
  return await takeBoard(wire, { clock, signal: new AbortController().signal, ...options })
}

/** In pieces of `pieceBytes`. */
export function sourceOf(bytes: Uint8Array, pieceBytes = 700): FileSource {
  return { size: bytes.byteLength, bytes: piecesOf(bytes, pieceBytes) }
}

async function* piecesOf(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

export async function readFile(board: Board, path: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of (await board.files.get(path)).bytes) parts.push(part)
  return Uint8Array.from(Buffer.concat(parts))
}

/** A folder that no other test has. */
export async function freshFolder(board: Board): Promise<string> {
  const folder = `/tmp/${randomUUID()}`
  await board.files.mkdir(folder)
  return folder
}

/** Python of a board whose file system, as FAT, renames over nothing. */
export const fatBoot = `
import os
_rename=os.rename
def rename(a,b):
 try:os.stat(b)
 except OSError:return _rename(a,b)
 raise OSError(17)
os.rename=rename
`

/** Python of a board that has no `sys.stdin.buffer` and `sys.stdout.buffer`, as it tells. */
export const withoutBuffer = `
import builtins
_hasattr=hasattr
builtins.hasattr=lambda o,n:n!='buffer' and _hasattr(o,n)
`

/** Python of a board that does not have these modules, under either of their names. */
export function bootWithout(...modules: readonly string[]): string {
  const lines = modules.flatMap((name) => [`sys.modules['${name}']=sys`, `sys.modules['u${name}']=sys`])
  return `${["import sys", ...lines].join("\n")}\n`
}
