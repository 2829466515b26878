import { FitAddon } from "@xterm/addon-fit"
import { Terminal } from "@xterm/xterm"
import { targetOf } from "./key-target.ts"
import { guardErase } from "./terminal-filter/guard-erase.ts"
import { TerminalFilter } from "./terminal-filter/terminal-filter.ts"
import { followColorScheme } from "./terminal-theme.ts"
import { listenForTyping } from "./typed-input.ts"

/** Characters that xterm.js may hold unparsed before reading stops, and how few there must be to go on. */
const highWatermark = 4 * 1024 * 1024
const lowWatermark = 256 * 1024
/**
 * Between two pieces xterm.js lets the page live, never within one. The slowest that a device can ask for, scrolling all
 * lines by five characters, takes 30 µs for each of them (measured): 30 ms a piece.
 */
const pieceLength = 1024
const scrollbackLines = 10_000

export interface TerminalViewOptions {
  /** What a person typed or pasted. */
  readonly onTyped: (text: string) => void
  /** The terminal has more to show than it can: stop reading until it caught up. */
  readonly onCongested: (isCongested: boolean) => void
  /** Ctrl+] was pressed: the keyboard's way out, as in `serialcast attach`. */
  readonly onLeave: () => void
}

/** The page's one terminal; devices take turns in it. */
export interface TerminalView {
  /** Device bytes, of which the terminal gets what draws (`TerminalFilter`). */
  write(bytes: Uint8Array): void
  /** A dim line of the page's own, told apart from device output by where it stands: a line of its own. */
  notice(text: string): void
  clear(): void
  /** Empty, as new: nothing of the last device's modes, colours or text stays. */
  reset(): void
  focus(): void
}

export function createTerminalView(container: HTMLElement, options: TerminalViewOptions): TerminalView {
  const terminal = new Terminal({
    scrollback: scrollbackLines,
    fontFamily: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
    fontSize: 13,
    lineHeight: 1.2,
    cursorBlink: true,
    minimumContrastRatio: 4.5,
    // A click types nothing, nor does the wheel (below): only keys and pastes do.
    altClickMovesCursor: false,
  })
  guardErase(terminal)
  terminal.attachCustomWheelEventHandler(() => terminal.buffer.active.type !== "alternate")
  terminal.attachCustomKeyEventHandler((event) => handleKey(terminal, event, options.onLeave))
  listenForTyping(terminal, options.onTyped)
  const fit = new FitAddon()
  terminal.loadAddon(fit)
  terminal.open(container)
  followColorScheme((theme) => {
    terminal.options.theme = theme
  })
  new ResizeObserver(() => fit.fit()).observe(container)

  const output = createOutput(terminal, options.onCongested)
  return {
    ...output,
    clear: () => terminal.clear(),
    focus: () => terminal.focus(),
  }
}

function createOutput(
  terminal: Terminal,
  onCongested: (isCongested: boolean) => void,
): Pick<TerminalView, "write" | "notice" | "reset"> {
  const filter = new TerminalFilter(() => ({ columns: terminal.cols, rows: terminal.rows }))
  let unparsed = 0
  let isCongested = false
  let isAtLineStart = true

  function settle(characters: number): void {
    unparsed += characters
    const isFull = unparsed > (isCongested ? lowWatermark : highWatermark)
    if (isFull === isCongested) return
    isCongested = isFull
    onCongested(isFull)
  }

  function show(text: string): void {
    if (text === "") return
    isAtLineStart = text.endsWith("\n")
    for (let at = 0; at < text.length; at += pieceLength) {
      const piece = text.slice(at, at + pieceLength)
      terminal.write(piece, () => settle(-piece.length))
      settle(piece.length)
    }
  }

  return {
    write(bytes) {
      show(filter.push(bytes))
    },
    notice(text) {
      // The rest of a sequence that the device began is missing, or belongs to another life.
      show(filter.end())
      const start = isAtLineStart ? "\r" : "\r\n"
      terminal.write(`${start}\x1b[0;2m── ${printable(text)} ──\x1b[0m\r\n`)
      isAtLineStart = true
    },
    reset() {
      filter.end()
      // Behind everything that is still to be parsed, so that none of it shows up after.
      terminal.write("\x1bc")
      isAtLineStart = true
    },
  }
}

// Reasons come from the system that the device is plugged into.
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "\uFFFD")
}

/** False: not for the terminal. */
function handleKey(terminal: Terminal, event: KeyboardEvent, onLeave: () => void): boolean {
  if (event.type !== "keydown") return true
  const target = targetOf(event, terminal.hasSelection())
  if (target === "leave") {
    event.preventDefault()
    onLeave()
  }
  return target === "terminal"
}
