import { relative, sep } from "node:path"
import { AppError, maxWriteBytes } from "@serialcast/contract"
import type { BoardFiles, FileSource } from "@serialcast/micropython"
import { defineCommand } from "../command/command.ts"
import type { CommandContext } from "../command/context.ts"
import { exitCodes } from "../command/exit-code.ts"
import { UsageError } from "../command/usage-error.ts"
import { openInput, readWhole } from "../write/write-input.ts"
import { baseName, joinPath } from "./board-path.ts"
import { findLocal, type LocalPath, readLocal, walkLocal } from "./local-files.ts"
import { refuseSameTargets } from "./same-targets.ts"
import { boardOptions, takeBoard } from "./take-board.ts"
import { TransferReport } from "./transfer-report.ts"

export const putCommand = defineCommand({
  name: "put",
  summary: "Copy files to a MicroPython board",
  operands: "<device> <file…>",
  maxOperands: 1_000,
  about: [
    "A file has its new content whole or its old one, whatever happens on the way, and is read back to compare. What the\n" +
      "board got before it was cut off need not be sent again. The program that the board runs is interrupted for it;\n" +
      "serialcast reset starts it again.",
  ],
  options: {
    ...boardOptions,
    to: { type: "string", value: "path", help: "Where on the board: a name for one file, else a folder" },
    recursive: { type: "boolean", short: "r", help: "Folders, with all that is in them" },
    json: { type: "boolean", help: "What was copied, as JSON" },
  },
  examples: [
    ["serialcast put board main.py", "Into the board's current folder"],
    ["serialcast put board *.py --to /lib/", "Several, into a folder"],
    ["serialcast put board -r www", "A folder"],
    ["generate | serialcast put board - --to data.json", "What comes from standard input"],
  ],
  async run({ values, operands: [given, ...sources] }, context) {
    const { to, recursive = false, json = false } = values
    if (sources.length === 0) throw new UsageError("Expected a device and files to copy to it.")
    const found = await findSources(sources, { to, recursive, context })
    const purpose = `put ${found.map(({ path }) => baseName(path)).join(" ")}`
    await using report = new TransferReport(context, { json, verb: "Put" })
    const interrupted = () => report.interrupted()
    const call = { values, given, purpose, interrupted, context }
    await takeBoard(call, async ({ files }) => {
      const items = await planPut(files, found, to)
      refuseSameTargets(items.filter(({ source }) => source !== null))
      report.begin(items.reduce((sum, { source }) => sum + (source?.size ?? 0), 0))
      for (const { target, source } of items) {
        if (source === null) await files.mkdir(target, { parents: true })
        else await putFile(files, { target, source, report, context })
      }
    })
    return exitCodes.done
  },
})

/** A file, or a folder to be made. */
export interface PutItem {
  readonly target: string
  readonly source: FileSource | null
}

/** What is to be copied; `below`: its folders and files, by their paths in it. */
export interface Found extends LocalPath {
  readonly bytes: () => AsyncIterable<Uint8Array>
  readonly below: readonly LocalPath[]
}

async function findSources(
  sources: readonly string[],
  { to, recursive, context }: { to: string | undefined; recursive: boolean; context: CommandContext },
): Promise<Found[]> {
  return await Promise.all(
    sources.map(async (path): Promise<Found> => {
      if (path === "-") return await standardInput(to, context)
      const found = await findLocal(path)
      if (found.kind === "file") return { ...found, bytes: () => readLocal(path), below: [] }
      if (!recursive) throw new UsageError(`${path} is a folder: copy it with --recursive.`)
      return { ...found, bytes: () => readLocal(path), below: await collect(walkLocal(path)) }
    }),
  )
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Its size is told to the board first, so all of it is read. */
async function standardInput(to: string | undefined, context: CommandContext): Promise<Found> {
  if (to === undefined || to.endsWith("/")) throw new UsageError("-: name the file with --to.")
  const input = openInput({ file: "-", text: undefined, hex: undefined, eol: undefined }, context)
  const bytes = await readWhole(input, `Standard input may have ${maxWriteBytes} bytes: copy more as a file.`)
  return { path: to, kind: "file", size: bytes.byteLength, below: [], bytes: () => pieces(bytes) }
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
}

/** Where on the board each of what was found goes; `to` as it was given. */
export async function planPut(
  files: Pick<BoardFiles, "stat">,
  found: readonly Found[],
  to: string | undefined,
): Promise<PutItem[]> {
  const [only] = found
  if (to === undefined) return found.flatMap((one) => itemsOf(one, baseName(one.path) || "."))
  const isFolder = to.endsWith("/") || found.length > 1 || (await isFolderOnBoard(files, to))
  if (!isFolder && only !== undefined) return itemsOf(only, to)
  const folder = to.replace(/(.)\/+$/, "$1")
  return [
    { target: folder, source: null },
    ...found.flatMap((one) => itemsOf(one, joinPath(folder, baseName(one.path)))),
  ]
}

function itemsOf(found: Found, target: string): PutItem[] {
  if (found.kind === "file") return [{ target, source: { size: found.size, bytes: found.bytes() } }]
  const below = found.below.map(({ path, kind, size }) => ({
    target: joinPath(target, relative(found.path, path).split(sep).join("/")),
    source: kind === "directory" ? null : { size, bytes: readLocal(path) },
  }))
  // The board's current folder is there.
  return target === "." ? below : [{ target, source: null }, ...below]
}

async function isFolderOnBoard(files: Pick<BoardFiles, "stat">, path: string): Promise<boolean> {
  try {
    return (await files.stat(path)).kind === "directory"
  } catch (error) {
    if (error instanceof AppError && error.code === "no_such_file") return false
    throw error
  }
}

interface PutFile {
  readonly target: string
  readonly source: FileSource
  readonly report: TransferReport
  readonly context: CommandContext
}

async function putFile(files: BoardFiles, { target, source, report, context }: PutFile): Promise<void> {
  report.next(target, source.size)
  const onProgress = (bytes: number) => report.update(bytes)
  const { size, hash, resumedBytes } = await files.put(target, source, { signal: context.signal, onProgress })
  await report.done({ path: target, bytes: size, resumedBytes, hash: `${hash.algorithm}:${hash.hex}` })
}
