import type { PortSettings } from "@serialcast/contract"
import type { LinuxPortBinding } from "@serialport/bindings-cpp"
import { runOnDescriptor } from "./run-on-descriptor.ts"

// The rates that have a constant in termios(3). The binding sets any other one without touching what waits in the
// kernel's buffers; at these it flushes them, so stty sets them.
const standardRates: ReadonlySet<number> = new Set([
  50, 75, 110, 134, 150, 200, 300, 600, 1_200, 1_800, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200,
  230_400, 460_800, 500_000, 576_000, 921_600, 1_000_000, 1_152_000, 1_500_000, 2_000_000, 2_500_000,
  3_000_000, 3_500_000, 4_000_000,
])

// Any status that neither flock nor stty uses.
const lockedStatus = 75
// The lock belongs to the open descriptor, so it stays when flock ends and goes when the descriptor is closed. stty sets at
// once instead of waiting for the output, which flow control may hold for ever.
const script = `flock -xn -E ${lockedStatus} 3 && exec stty -drain "$@" <&3`

/**
 * Locks an open tty against other programs (again and again does no harm), and sets it: raw, so that every byte passes as it
 * is, and without hang-up on close, which resets many boards. Nothing that waits in the kernel's buffers is lost.
 * `onPartial` is called when the tty did not take all of the settings: a pseudo-terminal has no parity, for one. Throws with
 * the system's words.
 */
export async function setTty(fd: number, settings: PortSettings, onPartial: () => void): Promise<void> {
  const { status, said } = await runOnDescriptor(fd, script, sttyArguments(settings))
  const isPartial = /unable to perform all requested operations/.test(said)
  if (status === lockedStatus) throw new Error("locked")
  if (status !== 0 && !isPartial) throw new Error(said || "its settings took too long")
  if (isPartial) onPartial()
}

/** Sets the baud rate when it is one that stty has no word for. */
export async function setOddRate(binding: LinuxPortBinding, { baudRate }: PortSettings): Promise<void> {
  if (!standardRates.has(baudRate)) await binding.update({ baudRate })
}

/** The settings in the words of stty(1). */
export function sttyArguments(settings: PortSettings): string[] {
  const { baudRate, dataBits, parity, stopBits, flowControl } = settings
  const isSoftware = flowControl === "software"
  const words = [
    "raw -echo -iexten min 1 time 0 clocal cread -hupcl",
    `cs${dataBits}`,
    flag("parenb", parity !== "none"),
    // Mark and space are odd and even of a parity bit that does not depend on the data (termios(3), CMSPAR).
    flag("cmspar", parity === "mark" || parity === "space"),
    flag("parodd", parity === "odd" || parity === "mark"),
    flag("cstopb", stopBits === 2),
    flag("crtscts", flowControl === "hardware"),
    flag("ixon", isSoftware),
    flag("ixoff", isSoftware),
    standardRates.has(baudRate) ? String(baudRate) : "",
  ]
  return words.join(" ").trim().split(" ")
}

function flag(name: string, isOn: boolean): string {
  return isOn ? name : `-${name}`
}
