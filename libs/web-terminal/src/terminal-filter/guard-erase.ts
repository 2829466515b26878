import type { Terminal } from "@xterm/xterm"

/**
 * Erasing what is above the cursor (`CSI 1 J`) makes xterm.js 6.0 throw when the cursor is in the last cell of a screen with
 * nothing behind it, and what it had still to show is never shown. There, and only there, it does nothing instead.
 */
export function guardErase(terminal: Terminal): void {
  const isToBeLeftOut = ([kind]: readonly (number | number[])[]) => {
    const { cursorX, cursorY, length } = terminal.buffer.active
    return kind === 1 && cursorX + 1 >= terminal.cols && cursorY + 1 >= length
  }
  terminal.parser.registerCsiHandler({ final: "J" }, isToBeLeftOut)
  terminal.parser.registerCsiHandler({ prefix: "?", final: "J" }, isToBeLeftOut)
}
