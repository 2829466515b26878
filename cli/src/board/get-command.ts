import { join } from "node:path"
import type { BoardFiles } from "@serialcast/micropython"
import { defineCommand } from "../command/command.ts"
import type { CommandContext } from "../command/context.ts"
import { exitCodes } from "../command/exit-code.ts"
import { UsageError } from "../command/usage-error.ts"
import type { Output } from "../terminal/output.ts"
import { type BoardPath, baseName, findPaths, walkBoard } from "./board-path.ts"
import { isLocalFolder, makeLocalFolder, writeLocal } from "./local-files.ts"
import { refuseSameTargets } from "./same-targets.ts"
import { boardOptions, takeBoard } from "./take-board.ts"
import { TransferReport } from "./transfer-report.ts"

export const getCommand = defineCommand({
  name: "get",
  summary: "Copy files from a MicroPython board",
  operands: "<device> <path…>",
  maxOperands: 1_000,
  about: [
    "A file of this machine is replaced when all of the new one is here. The program that the board runs is interrupted\n" +
      "for it; serialcast reset starts it again. Patterns like '*.py' are for the board: quote them.",
  ],
  options: {
    ...boardOptions,
    to: {
      type: "string",
      value: "path",
      help: "A name for one file, else a folder, which is made; - is standard output",
    },
    recursive: { type: "boolean", short: "r", help: "Folders, with all that is in them" },
    json: { type: "boolean", help: "What was copied, as JSON" },
  },
  examples: [
    ["serialcast get board main.py", "Into this folder"],
    ["serialcast get board '*.csv' --to logs/", "All that fit"],
    ["serialcast get board data.json --to - | jq .", "To standard output"],
  ],
  async run({ values, operands: [given, ...patterns] }, context) {
    const { to = ".", recursive = false, json = false } = values
    if (patterns.length === 0) throw new UsageError("Expected a device and paths to copy from it.")
    if (json && to === "-") throw new UsageError("--json and --to - exclude each other.")
    await using report = new TransferReport(context, { json, verb: "Got" })
    const purpose = `get ${baseName(patterns[0] ?? "")}`
    const interrupted = () => report.interrupted()
    await takeBoard({ values, given, purpose, interrupted, context }, async ({ files }) => {
      const found = await findPaths(files, patterns)
      const { folder, items } = await planGet(files, found, { to, recursive })
      refuseSameTargets(items.filter(({ kind }) => kind === "file"))
      if (folder !== null) await makeLocalFolder(folder)
      report.begin(items.reduce((sum, { size }) => sum + size, 0))
      for (const item of items) await getItem(files, item, { report, context })
    })
    return exitCodes.done
  },
})

export interface GetItem extends BoardPath {
  /** `-`: standard output. */
  readonly target: string
}

export interface GetPlan {
  /** What there must be before, for what goes into it. */
  readonly folder: string | null
  readonly items: readonly GetItem[]
}

/** Where each of what was found goes. Throws `UsageError` for a folder that was not asked for, and for several to one name. */
export async function planGet(
  files: BoardFiles,
  found: readonly BoardPath[],
  { to, recursive }: { readonly to: string; readonly recursive: boolean },
): Promise<GetPlan> {
  const [only] = found
  if (to === "-" || (found.length === 1 && only?.kind === "file" && !(await isFolder(to)))) {
    if (found.length > 1 || only?.kind !== "file")
      throw new UsageError("--to -: expected one file for standard output.")
    return { folder: null, items: [{ ...only, target: to }] }
  }
  const items: GetItem[] = []
  for (const one of found) {
    const target = join(to, baseName(one.path))
    items.push({ ...one, target })
    if (one.kind === "file") continue
    if (!recursive) throw new UsageError(`${one.path} is a folder: copy it with --recursive.`)
    for await (const below of walkBoard(files, one.path))
      items.push({ ...below, target: join(target, relative(one.path, below.path)) })
  }
  return { folder: to, items }
}

/** The rest of a path below a folder of the board. */
function relative(folder: string, path: string): string {
  return folder === "." ? path : path.slice(folder.length)
}

async function isFolder(to: string): Promise<boolean> {
  return to.endsWith("/") || (await isLocalFolder(to))
}

async function getItem(
  files: BoardFiles,
  { path, kind, size, target }: GetItem,
  { report, context }: { readonly report: TransferReport; readonly context: CommandContext },
): Promise<void> {
  if (kind === "directory") return await makeLocalFolder(target)
  report.next(path, size, target === "-" ? "was cut off" : undefined)
  const { size: sentBytes, bytes } = await files.get(path, { signal: context.signal })
  const onWritten = (written: number) => report.update(written)
  if (target === "-") await writeOutput(context.stdout, bytes, onWritten)
  else await writeLocal(target, bytes, onWritten)
  await report.done({ path, bytes: sentBytes })
}

async function writeOutput(
  stdout: Output,
  bytes: AsyncIterable<Uint8Array>,
  onWritten: (bytes: number) => void,
): Promise<void> {
  let size = 0
  for await (const piece of bytes) {
    await stdout.write(piece)
    size += piece.byteLength
    // A bar would stand in the middle of what is shown.
    if (!stdout.isTerminal) onWritten(size)
  }
}
