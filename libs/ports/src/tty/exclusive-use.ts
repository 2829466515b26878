import { fstat } from "node:fs"
import { readFile } from "node:fs/promises"
import { promisify } from "node:util"
import { runOnDescriptor } from "./run-on-descriptor.ts"

// The kernel's majors of pseudo-terminals (Documentation/admin-guide/devices.txt: Unix98 slaves).
const [firstPtyMajor, lastPtyMajor] = [136, 143]
// capabilities(7): whoever has it opens an exclusive tty all the same.
const capSysAdmin = 21n

// TIOCNXCL of ioctl_tty(2), on every processor that Node runs on but MIPS, where this number is none, and refused.
const endScript = "exec perl -e 'open my $tty, q{+<&=3} or die; ioctl $tty, 0x540D, 0'"

/**
 * Whether exclusive use (TIOCEXCL) of an open tty ends with its last close. That of a pseudo-terminal lasts as long as its
 * other end: after a kill it would keep out whoever opens the port again, but for the system's administrator.
 */
export async function mayBeExclusive(fd: number): Promise<boolean> {
  return !(await isPseudoTerminal(fd)) || (await isAdministrator())
}

/** Gives up the exclusive use of a tty that outlives its closing. Where perl is missing nothing was asked for. */
export async function endExclusiveUse(fd: number): Promise<void> {
  if (await isPseudoTerminal(fd)) await runOnDescriptor(fd, endScript)
}

async function isPseudoTerminal(fd: number): Promise<boolean> {
  const { rdev } = await promisify(fstat)(fd)
  const major = (rdev >> 8) & 0xfff
  return major >= firstPtyMajor && major <= lastPtyMajor
}

async function isAdministrator(): Promise<boolean> {
  // Without the file nobody is one.
  const status = await readFile("/proc/self/status", "latin1").catch(() => "")
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"
  return ((BigInt(`0x${effective}`) >> capSysAdmin) & 1n) === 1n
}
