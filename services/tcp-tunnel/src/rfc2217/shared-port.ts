import { type DeviceState, type PortSettings, toAppError } from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import type { ModemState } from "@serialcast/rfc2217"
import type { Rfc2217Tunnel } from "@serialcast/service-kit"
import { KnownValues } from "./known-values.ts"
import { modemStateOf } from "./modem-state.ts"

/** The lines that clients drive. */
export interface ShadowLines {
  readonly dtr: boolean
  readonly rts: boolean
  readonly break: boolean
}

export interface SharedPortOptions {
  readonly lines: Rfc2217Tunnel["lines"]
  /** The device's state as it is known now. */
  readonly state: () => DeviceState | undefined
  readonly clock: Clock
}

// What most devices are set to; told only while the device has never been heard of.
const unheardSettings: PortSettings = {
  baudRate: 115_200,
  dataBits: 8,
  parity: "none",
  stopBits: 1,
  flowControl: "none",
}

/** What all clients of one tunnel know of its port: each sees what the others change. */
export class SharedPort {
  readonly settings: KnownValues<PortSettings>
  /**
   * DTR, RTS and break as they were set last. Clients are answered from here, also of ports that have no such lines, and
   * where DTR and RTS do not reach the port.
   */
  readonly lines: KnownValues<ShadowLines>
  readonly #state: () => DeviceState | undefined
  /** The opening of the port in which it was found to have no lines. */
  #openWithoutLines: number | undefined

  constructor({ lines, state, clock }: SharedPortOptions) {
    this.#state = state
    this.settings = new KnownValues({
      initial: unheardSettings,
      told: () => state()?.settings ?? {},
      clock,
    })
    this.lines = new KnownValues<ShadowLines>({
      // As the kernel raises both when a port is opened.
      initial: { dtr: true, rts: true, break: false },
      told: () => (lines === "pass" ? toldLines(state()) : {}),
      clock,
    })
  }

  /** What clients are told of the lines that the device drives. */
  get modemState(): ModemState {
    return modemStateOf(this.#state())
  }

  /** Changes lines by `call`. Those that the port does not have are changed here only. Throws what else `call` throws. */
  async changeLines(part: Partial<ShadowLines>, call: () => Promise<object | null>): Promise<void> {
    await this.lines.change(part, async () => {
      const state = this.#state()
      const isAbsent = state === undefined || !state.online || state.open === this.#openWithoutLines
      if (isAbsent) return null
      try {
        await call()
      } catch (error) {
        if (toAppError(error).code !== "no_modem_lines") throw error
        this.#openWithoutLines = state.open
      }
      return null
    })
  }
}

function toldLines(state: DeviceState | undefined): Partial<ShadowLines> {
  const { dtr, rts } = state?.lines ?? {}
  return { ...(dtr === undefined ? {} : { dtr }), ...(rts === undefined ? {} : { rts }) }
}
