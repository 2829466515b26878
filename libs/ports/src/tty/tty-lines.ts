import { AppError, type ModemLines } from "@serialcast/contract"
import type { LineChange } from "../port-driver.ts"

/** The two calls of a serialport binding that this needs. */
export interface LineControl {
  get(): Promise<{
    readonly cts: boolean
    readonly dsr: boolean
    readonly dcd: boolean
    readonly lowLatency?: boolean
  }>
  /** Sets all of them: what is left out gets a default. */
  set(lines: {
    readonly dtr: boolean
    readonly rts: boolean
    readonly brk: boolean
    readonly cts: boolean
    readonly dsr: boolean
    readonly lowLatency: boolean
  }): Promise<void>
}

/** The modem lines of one open tty. The binding cannot tell `ri`. */
export class TtyLines {
  readonly #control: LineControl
  /** As they are now. The kernel raises DTR and RTS when a port is opened. */
  #driven = { dtr: true, rts: true, break: false }
  #isLowLatency = false
  #isAbsent = false

  constructor(control: LineControl) {
    this.#control = control
  }

  /** All lines, or null when the tty has none: asked once, as the answer cannot change while it is open. */
  async read(): Promise<ModemLines | null> {
    if (this.#isAbsent) return null
    try {
      const { cts, dsr, dcd, lowLatency = false } = await this.#control.get()
      this.#isLowLatency = lowLatency
      const { dtr, rts } = this.#driven
      return { dtr, rts, cts, dsr, dcd }
    } catch (error) {
      // ENOTTY, or EINVAL of older kernels, is the driver's way to say that it has no lines.
      if (!/Inappropriate ioctl|Invalid argument/.test(String(error))) throw error
      this.#isAbsent = true
      return null
    }
  }

  /** DTR and RTS change together; a break starts or ends just before. Throws `no_modem_lines`. */
  async change({ dtr, rts, break: isBreak }: LineChange): Promise<void> {
    // Also what the low latency of the port is, since the change would reset it.
    if ((await this.read()) === null) throw new AppError("no_modem_lines", "This port has no modem lines.")
    const driven = {
      dtr: dtr ?? this.#driven.dtr,
      rts: rts ?? this.#driven.rts,
      break: isBreak ?? this.#driven.break,
    }
    const fixed = { cts: false, dsr: false, lowLatency: this.#isLowLatency }
    await this.#control.set({ dtr: driven.dtr, rts: driven.rts, brk: driven.break, ...fixed })
    this.#driven = driven
  }
}
