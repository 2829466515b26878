import { type DeviceState, formatAddress } from "@serialcast/contract"
import { escapeControls } from "../terminal/escape-controls.ts"
import type { Paint } from "../terminal/paint.ts"
import { formatTable } from "../terminal/table.ts"
import { describeUnsupported, formatSettings } from "./format-settings.ts"

const header = ["DEVICE", "STATE", "PORT", "SETTINGS", "WHAT", "RX BYTES", "SINCE", "PROBLEM"]

/** The devices in lines for people, the header first. What others named is shown without effect on a terminal. */
export function formatDevices(devices: readonly DeviceState[], paint: Paint): string[] {
  const rows = devices.map((state) => deviceRow(state, paint))
  return formatTable([header.map((title) => paint("bold", title)), ...rows])
}

function deviceRow(state: DeviceState, paint: Paint): string[] {
  return [
    formatAddress(state),
    stateText(state, paint),
    shown(state.port),
    formatSettings(state.settings),
    shown(what(state)),
    String(state.rx.head),
    shown(state.since),
    paint("yellow", shown(problems(state))),
  ]
}

function stateText({ online, configured }: DeviceState, paint: Paint): string {
  if (online) return paint("green", "online")
  return configured ? paint("yellow", "offline") : paint("dim", "found")
}

function what({ port, identity: { manufacturer, product, vendorId, productId } }: DeviceState): string {
  if (product !== undefined) return [manufacturer, product].filter((part) => part !== undefined).join(" ")
  if (vendorId !== undefined) return `USB ${vendorId}:${productId}`
  return port.startsWith("sim:") ? "simulated" : "-"
}

/** An open port whose bytes are not kept, or that did not take its settings, is in trouble too. */
function problems({ problem, journal, settings }: DeviceState): string {
  const found = [problem?.message, journal.problem?.message, describeUnsupported(settings)]
  return found.filter((text) => text !== undefined && text !== null).join(" ")
}

function shown(text: string): string {
  return escapeControls(text).replaceAll(/[\t\n]/g, " ")
}
