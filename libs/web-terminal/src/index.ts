export { byId, createElement, type ElementOptions } from "./elements.ts"
export { createTerminalView, type TerminalView, type TerminalViewOptions } from "./terminal-view.ts"
