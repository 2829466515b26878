import type { PortSettings } from "@serialcast/contract"
import type { LinuxPortBinding } from "@serialport/bindings-cpp"
import { isTaken, type Refusal } from "../refusal.ts"
import { mayBeExclusive } from "./exclusive-use.ts"
import { runOnDescriptor } from "./run-on-descriptor.ts"
import { parseSttyReport, type SttyReport } from "./stty-report.ts"

const settingNames = ["baudRate", "dataBits", "parity", "stopBits", "flowControl"] as const

// The rates that have a constant in termios(3). The binding sets any other one without touching what waits in the
// kernel's buffers; at these it flushes them, so stty sets them.
const standardRates: ReadonlySet<number> = new Set([
  50, 75, 110, 134, 150, 200, 300, 600, 1_200, 1_800, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200,
  230_400, 460_800, 500_000, 576_000, 921_600, 1_000_000, 1_152_000, 1_500_000, 2_000_000, 2_500_000,
  3_000_000, 3_500_000, 4_000_000,
])

// Any status that neither flock nor stty uses.
const lockedStatus = 75
// The lock belongs to the open descriptor, so it stays when its process ends and goes when the descriptor is closed. Programs
// that know of no lock are kept out by TIOCEXCL (ioctl_tty(2)), which only perl can ask for. stty sets at once instead of
// waiting for the output, which flow control may hold for ever.
const lockInPerl = `
  open my $tty, q{+<&=3} or die;
  flock $tty, 6 or exit ${lockedStatus};
  ioctl $tty, 0x540C, 0 if shift;
  open STDIN, q{<&}, $tty or die;
  exec qw{stty -drain}, @ARGV`
const setScript = `
  if command -v perl >/dev/null; then exec perl -e '${lockInPerl}' -- "$@"; fi
  shift; flock -xn -E ${lockedStatus} 3 && exec stty -drain "$@" <&3`
const tellScript = "exec stty -a <&3"

/**
 * Locks an open tty against other programs, also those that know of no lock (again and again does no harm), and sets it: raw, so that every byte passes as it
 * is, and without hang-up on close, which resets many boards. Nothing that waits in the kernel's buffers is lost. Answers
 * what the tty has where it did not take all of that: a pseudo-terminal has no parity, for one; null when it took all. Throws
 * with the system's words.
 */
export async function setTty(fd: number, settings: PortSettings): Promise<SttyReport | null> {
  const exclusive = (await mayBeExclusive(fd)) ? "1" : "0"
  const { status, said } = await runOnDescriptor(fd, setScript, [exclusive, ...sttyArguments(settings)])
  if (status === 0) return null
  if (status === lockedStatus) throw new Error("locked")
  if (status === null) throw new Error("its settings took too long")
  // A tty that took a part has it: stty says "unable to perform all requested operations", or "Invalid argument" where that
  // part changed nothing.
  const { told } = await runOnDescriptor(fd, tellScript)
  const report = parseSttyReport(told)
  if (report === null) throw new Error(said)
  return report
}

/** The calls of a serialport binding that set and tell the rate. */
export type RateControl = Pick<LinuxPortBinding, "update" | "getBaudRate">

/**
 * Sets the baud rate when it is one that stty has no word for, and answers all settings that the tty did not take, given what
 * `setTty` answered.
 */
export async function setRate(
  control: RateControl,
  settings: PortSettings,
  report: SttyReport | null,
): Promise<readonly Refusal[]> {
  const { baudRate } = settings
  const isOdd = !standardRates.has(baudRate)
  if (!isOdd && report === null) return []
  // A driver that refuses the rate leaves the one before, which is told. That a tty is dead shows when it is read.
  if (isOdd) await control.update({ baudRate }).catch(() => undefined)
  const rate = await control.getBaudRate().then(
    (answer) => answer.baudRate,
    () => null,
  )
  const found = { ...settings, ...report, baudRate: rate }
  return settingNames.flatMap((setting) =>
    isTaken(setting, settings[setting], found[setting])
      ? []
      : [{ setting, wanted: settings[setting], found: found[setting] }],
  )
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
