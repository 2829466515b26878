import { defineCommand } from "../command/command.ts"
import { exitCodes } from "../command/exit-code.ts"
import { UsageError } from "../command/usage-error.ts"
import { boardOptions, takeBoard } from "./take-board.ts"

export const resetCommand = defineCommand({
  name: "reset",
  summary: "Restart the interpreter of a MicroPython board (soft reset); main.py runs again",
  operands: "<device>",
  maxOperands: 1,
  about: ["What the board has in memory is gone; its files stay."],
  options: boardOptions,
  examples: [["serialcast reset board", "Run the new main.py"]],
  async run({ values, operands: [given] }, context) {
    if (given === undefined) throw new UsageError("Expected a device.")
    await takeBoard({ values, given, purpose: "reset", isReset: true, context }, (board) => board.softReset())
    return exitCodes.done
  },
})
