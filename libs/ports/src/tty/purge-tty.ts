import { AppError } from "@serialcast/contract"
import { runOnDescriptor } from "./run-on-descriptor.ts"

// Node has no ioctl. serialport's flush drops the input as well, which nobody asked for; no tool of coreutils or util-linux
// flushes at all, and of the languages that do, perl is the one that every Debian has, the slim images included.
const script = "exec perl -MPOSIX=tcflush,TCOFLUSH -e 'tcflush(3, TCOFLUSH) or die \"$!\\n\"'"

/** Drops the output that waits in the kernel, and nothing of the input. Throws `unsupported` where perl is missing. */
export async function purgeTty(fd: number): Promise<void> {
  const { status, said } = await runOnDescriptor(fd, script)
  if (status !== 0) throw new AppError("unsupported", `The port's output cannot be dropped: ${said}.`)
}
