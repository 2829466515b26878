import { close, constants, open } from "node:fs"
import { promisify } from "node:util"
import { LinuxPortBinding } from "@serialport/bindings-cpp"
import type { PortDriver } from "../port-driver.ts"
import { noteRefusals, type Refusal } from "../refusal.ts"
import { explainOpenError } from "./open-error.ts"
import { usualRestMs } from "./read-rhythm.ts"
import { TtyPort } from "./tty-port.ts"
import { setRate, setTty } from "./tty-settings.ts"

const openFlags = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK

export interface TtyDriverOptions {
  /** Told a sentence for the log: the port is open, but not quite as it was asked for. */
  readonly onNote?: ((note: string) => void) | undefined
  /** How long to leave the port alone between reads of a steady trickle, in milliseconds. Default: `usualRestMs`. */
  readonly readRestMs?: number | undefined
}

/**
 * A tty of a Linux system, by path. Bytes that waited in the kernel before it was opened are read: serialport's own `open`
 * flushes them. Until its settings are made, some 6 ms after the open, a tty has those that it had before; of one that was
 * just plugged in they are the kernel's, which echo.
 */
export function createTtyDriver(path: string, options: TtyDriverOptions = {}): PortDriver {
  const { onNote = () => {}, readRestMs = usualRestMs } = options
  return {
    async open(settings, listener) {
      let release = async () => {}
      try {
        const fd = await promisify(open)(path, openFlags)
        release = () => promisify(close)(fd)
        // Before the binding, which answers a regular file with a riddle.
        const report = await setTty(fd, settings)
        // Options are what the binding's own open works with; the class only keeps them.
        const binding = new LinuxPortBinding(fd, {} as LinuxPortBinding["openOptions"])
        release = () => binding.close()
        const refusals = await setRate(binding, settings, report)
        const onRefusals = (refused: readonly Refusal[]) => onNote(noteRefusals(path, refused))
        return new TtyPort(binding, { listener, onRefusals, readRestMs, settings, refusals })
      } catch (error) {
        // What could not be opened is what the user has to hear of.
        await release().catch(() => undefined)
        throw await explainOpenError(path, error)
      }
    },
  }
}
