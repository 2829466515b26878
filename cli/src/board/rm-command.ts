import { defineCommand } from "../command/command.ts"
import { exitCodes } from "../command/exit-code.ts"
import { UsageError } from "../command/usage-error.ts"
import { findPaths } from "./board-path.ts"
import { boardOptions, takeBoard } from "./take-board.ts"

export const rmCommand = defineCommand({
  name: "rm",
  summary: "Remove files of a MicroPython board",
  operands: "<device> <path…>",
  maxOperands: 1_000,
  about: [
    "Patterns like '*.py' are for the board: quote them. What one of them does not find is an error, before anything is removed.",
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
      const found = []
      for (const pattern of patterns) found.push(...(await findPaths(files, pattern)))
      for (const { path } of found) await files.remove(path, { recursive })
    })
    return exitCodes.done
  },
})
