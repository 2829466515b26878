import type { Terminal } from "@xterm/xterm"

/** The one thing needed of xterm.js that its public interface does not have. */
interface CoreWithUserInput {
  readonly coreService: { onUserInput(listener: () => void): unknown }
}

/**
 * Calls `onTyped` with what a person typed or pasted, and with nothing else. (Mouse reports, which pass here as typed, cannot
 * be turned on: `TerminalFilter`.)
 *
 * `onData` alone also carries the terminal's answers to queries in the output (DA, DSR, DECRQM, DECRQSS, focus reports,
 * more in each version). Here the output is device bytes, and each viewer's answer would be typed into the device. A
 * list of queries to swallow would have a hole whenever xterm.js learns a new one; instead, only data that xterm.js
 * itself announced as user input passes. Throws when this version of xterm.js does not announce it.
 */
export function listenForTyping(terminal: Terminal, onTyped: (text: string) => void): void {
  const core = "_core" in terminal ? terminal._core : undefined
  if (!hasUserInput(core)) throw new TypeError("this version of xterm.js does not tell typing from answers")
  let isTyped = false
  // Fired right before the `onData` of the same input (CoreService.triggerDataEvent).
  core.coreService.onUserInput(() => {
    isTyped = true
  })
  terminal.onData((text) => {
    if (isTyped) onTyped(text)
    isTyped = false
  })
}

function hasUserInput(core: unknown): core is CoreWithUserInput {
  if (typeof core !== "object" || core === null || !("coreService" in core)) return false
  const { coreService } = core
  return typeof coreService === "object" && coreService !== null && "onUserInput" in coreService
}
