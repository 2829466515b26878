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
const withoutBuffer = `
import builtins
_hasattr=hasattr
builtins.hasattr=lambda o,n:n!='buffer' and _hasattr(o,n)
`

/** Python of a board that does not have these modules, under either of their names. */
function bootWithout(...modules: readonly string[]): string {
  const lines = modules.flatMap((name) => [`sys.modules['${name}']=sys`, `sys.modules['u${name}']=sys`])
  return `${["import sys", ...lines].join("\n")}\n`
}

/** Boards that files are carried to and from in different ways. */
export const boardKinds = [
  { title: "with all that there is", options: {}, taken: {}, algorithm: "sha256" },
  { title: "without hashlib", options: { boot: bootWithout("hashlib") }, taken: {}, algorithm: "crc32" },
  {
    title: "without hashlib and binascii, on a small ring, that renames over no file",
    options: {
      boot: `${bootWithout("hashlib", "binascii")}${fatBoot}`,
      ringBytes: 63,
      rawPaste: "refused" as const,
      heapBytes: 40_000,
    },
    taken: {},
    algorithm: "sum24",
  },
  {
    title: "whose programs get no bytes as they are",
    options: { boot: withoutBuffer },
    taken: {},
    algorithm: "sha256",
  },
  {
    title: "whose programs get no bytes as they are, without binascii, on a small ring",
    options: {
      boot: `${bootWithout("binascii")}${withoutBuffer}`,
      ringBytes: 63,
      rawPaste: "unknown" as const,
    },
    taken: { softwareFlowControl: true },
    algorithm: "sha256",
  },
  {
    title: "with software flow control",
    options: {},
    taken: { softwareFlowControl: true },
    algorithm: "sha256",
  },
]
