import type { PortSettings } from "@serialcast/contract"

/** What a tty has, without its rate: of one that has no constant in termios(3), stty knows nothing. */
export type SttyReport = Omit<PortSettings, "baudRate">

/** Without these, bytes would be echoed, gathered to lines, or changed on their way. */
const rawWords = ["-icanon", "-echo", "-isig", "-opost", "-icrnl", "-inlcr", "-igncr", "-istrip"]

/** Parses what `stty -a` tells. null when the tty is not raw, or it is no such text. */
export function parseSttyReport(text: string): SttyReport | null {
  const words: ReadonlySet<string> = new Set(text.split(/[\s;]+/))
  const dataBits = ([5, 6, 7, 8] as const).find((bits) => words.has(`cs${bits}`))
  if (dataBits === undefined || !rawWords.every((word) => words.has(word))) return null
  return {
    dataBits,
    parity: parityIn(words),
    stopBits: words.has("cstopb") ? 2 : 1,
    flowControl: flowControlIn(words),
  }
}

/** Without `parenb` the other two mean nothing, and a pseudo-terminal keeps them all the same. */
function parityIn(words: ReadonlySet<string>): PortSettings["parity"] {
  if (!words.has("parenb")) return "none"
  const isOdd = words.has("parodd")
  if (words.has("cmspar")) return isOdd ? "mark" : "space"
  return isOdd ? "odd" : "even"
}

function flowControlIn(words: ReadonlySet<string>): PortSettings["flowControl"] {
  if (words.has("crtscts")) return "hardware"
  return words.has("ixon") && words.has("ixoff") ? "software" : "none"
}
