import { defineCommand } from "../command/command.ts"
import { exitCodes } from "../command/exit-code.ts"
import { UsageError } from "../command/usage-error.ts"
import { boardOptions, takeBoard } from "./take-board.ts"

export const mkdirCommand = defineCommand({
  name: "mkdir",
  summary: "Make folders on a MicroPython board",
  operands: "<device> <path…>",
  maxOperands: 1_000,
  about: [],
  options: {
    ...boardOptions,
    parents: { type: "boolean", short: "p", help: "Those above too; one that is there is no error" },
  },
  examples: [["serialcast mkdir board -p /www/img", "With the folder above it"]],
  async run({ values, operands: [given, ...paths] }, context) {
    const { parents = false } = values
    if (paths.length === 0) throw new UsageError("Expected a device and folders to make on it.")
    await takeBoard({ values, given, purpose: `mkdir ${paths[0]}`, context }, async ({ files }) => {
      for (const path of paths) await files.mkdir(path, { parents })
    })
    return exitCodes.done
  },
})
