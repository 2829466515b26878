import { spawnSync } from "node:child_process"
import type { ReadStream } from "node:tty"
import type { Output } from "../terminal/output.ts"

/**
 * What a device may have left behind on the terminal is taken back: SI and DECSTR (character set, colours, margins, key
 * modes, cursor), mouse and focus reports, bracketed paste, and the alternate screen (xterm control sequences).
 */
const restoreScreen = "\u000f\u001b[!p\u001b[?1000;1002;1003;1004;1006;2004l\u001b[?1047l"

/**
 * Makes the terminal pass every byte both ways, until disposed. Node itself puts the modes back whenever and however
 * the process ends in order; only SIGKILL leaves them.
 */
export function makeRaw(stdin: ReadStream, stdout: Output): AsyncDisposable {
  // A terminal that is gone cannot be set, and need not be.
  stdin.on("error", () => {})
  stdin.setRawMode(true)
  // Node's raw mode goes on making \r\n of each \n of the device, which breaks what draws on the whole screen.
  // Where there is no stty, that is the only difference.
  spawnSync("stty", ["raw", "-echo"], { stdio: ["inherit", "ignore", "ignore"] })
  return {
    async [Symbol.asyncDispose]() {
      stdin.setRawMode(false)
      await stdout.write(restoreScreen).catch(() => {})
    },
  }
}
