import { type DeviceState, formatAddress, type Gap, type Mark, type ModemLines } from "@serialcast/contract"
import { describeUnsupported, formatSettings } from "../devices/format-settings.ts"
import { escapeControls } from "../terminal/escape-controls.ts"

/** A gap in words, on one line. */
export function describeGap({ from, to, bytes, reason }: Gap): string {
  switch (reason) {
    case "unread":
      return `gap: what the device sent while nobody read its port is lost, at ${to}`
    case "evicted":
      return `gap: ${bytes === null ? "an unknown number of" : bytes} bytes are not kept any more, from ${from} to ${to}`
  }
}

/** A mark in words, on one line, with nothing that a terminal would obey. */
export function describeMark(mark: Mark): string {
  return escapeControls(markText(mark)).replaceAll("\n", " ")
}

function markText(mark: Mark): string {
  switch (mark.kind) {
    case "opened":
      return `port opened (${mark.open})`
    case "closed":
      return `port closed: ${mark.reason}`
    case "overrun":
      return "overrun: the device sent faster than the port was read"
    case "settings":
      return [`settings: ${formatSettings(mark.settings)}, by ${mark.by}`, describeUnsupported(mark.settings)]
        .filter((text) => text !== null)
        .join(". ")
    case "lines":
      return `modem lines: ${formatLines(mark.lines)}, by ${mark.by ?? "the device"}`
    case "break":
      return `break sent by ${mark.by}`
    case "leased":
      return `leased by ${mark.holder}${purposeOf(mark)}`
    case "released":
      return `lease of ${mark.holder}${purposeOf(mark)} ${endOf(mark)}`
    case "started":
      return `write of ${mark.bytes} bytes by ${mark.by} started`
    case "drained":
      return `write of ${mark.bytes} bytes by ${mark.by} done`
    case "refused":
      return `${countOf(mark)} by ${mark.by} refused after ${mark.bytes} bytes: ${mark.code}`
    case "held":
      return "the port takes nothing: what is written waits"
    case "resumed":
      return "the port takes bytes again"
    case "clock":
      return `the clock was set ${mark.stepMs < 0 ? "back" : "forward"} by ${Math.abs(mark.stepMs) / 1_000} s`
    case "other":
      return mark.name
  }
}

/** Whether a device can be used, on one line, with nothing that a terminal would obey. */
export function describeState(state: DeviceState): string {
  const problem = state.problem === null ? "" : `: ${state.problem.message}`
  const held = state.heldSince === null ? "" : `, and takes nothing since ${state.heldSince}`
  const text = state.online ? `online${held}` : `offline${problem}`
  return escapeControls(`${formatAddress(state)} is ${text}`).replaceAll("\n", " ")
}

function purposeOf({ purpose }: { readonly purpose?: string | undefined }): string {
  return purpose === undefined ? "" : ` (${purpose})`
}

function endOf({ reason, outcome }: Extract<Mark, { kind: "released" }>): string {
  if (reason !== "released") return reason
  return outcome === undefined
    ? "given back"
    : `given back: what it was for ${outcome === "failed" ? "failed" : "was cancelled"}`
}

function countOf({ count = 1 }: Extract<Mark, { kind: "refused" }>): string {
  return count === 1 ? "write" : `${count} more writes`
}

function formatLines(lines: ModemLines): string {
  return Object.entries(lines)
    .map(([name, isOn]) => `${name} ${isOn ? "on" : "off"}`)
    .join(", ")
}
