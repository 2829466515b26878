import { AppError } from "@serialcast/contract"
import type { BoardFiles } from "@serialcast/micropython"
import { defineCommand } from "../command/command.ts"
import { exitCodes } from "../command/exit-code.ts"
import { UsageError } from "../command/usage-error.ts"
import { type BoardPath, findPaths } from "./board-path.ts"
import { boardOptions, takeBoard } from "./take-board.ts"

export const rmCommand = defineCommand({
  name: "rm",
  summary: "Remove files of a MicroPython board",
  operands: "<device> <path…>",
  maxOperands: 1_000,
  about: [
    "Patterns like '*.py' are for the board: quote them. When one of them finds nothing, or a folder that is not empty,\n" +
      "nothing is removed.",
  ],
  options: {
    ...boardOptions,
    recursive: { type: "boolean", short: "r", help: "Folders, with all that is in them" },
  },
  examples: [
    ["serialcast rm board old.py", "A file, or an empty folder"],
    ["serialcast rm board -r /www", "A folder and all that is in it"],
  ],
  async run({ values, operands: [given, ...patterns] }, context) {
    const { recursive = false } = values
    if (patterns.length === 0) throw new UsageError("Expected a device and paths to remove from it.")
    await takeBoard({ values, given, purpose: `rm ${patterns[0]}`, context }, async ({ files }) => {
      const found = await findPaths(files, patterns)
      if (!recursive) await refuseFull(files, found)
      for (const { path } of found) await files.remove(path, { recursive })
    })
    return exitCodes.done
  },
})

/** Before anything is removed. Throws `not_empty`. */
async function refuseFull(files: BoardFiles, found: readonly BoardPath[]): Promise<void> {
  for (const { path, kind } of found) {
    if (kind === "file" || (await files.list(path)).length === 0) continue
    throw new AppError("not_empty", `${path} has files in it, for which there is --recursive.`)
  }
}
