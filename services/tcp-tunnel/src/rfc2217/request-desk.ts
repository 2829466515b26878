import { type PortSettings, toAppError } from "@serialcast/contract"
import { type Clock, within } from "@serialcast/primitives"
import type { PortAnswer, PortRequest } from "@serialcast/rfc2217"
import type { Logger, Rfc2217Tunnel } from "@serialcast/service-kit"
import type { DeviceLane } from "../to-device/device-lane.ts"
import { ResetRecogniser } from "./reset-recogniser.ts"
import { isPortSetting, type PortSettingRequest, settingChange, settingInForce } from "./setting-request.ts"
import { SettingsKeeper } from "./settings-keeper.ts"
import type { ShadowLines, SharedPort } from "./shared-port.ts"

/**
 * A request is answered after this time at the latest, in milliseconds: bytes before it may take long to the device, and
 * pySerial waits 3 s. What was asked for is the answer then, because it will be done in its turn.
 */
const answerMs = 1_000

/** A break of a telnet user, who cannot time it; as long as conserver's and pySerial's. */
const breakMacro = "B1|W0.25|B0"

export interface RequestDeskOptions {
  readonly config: Pick<Rfc2217Tunnel, "lines" | "macros" | "restoreSettings">
  readonly port: SharedPort
  readonly lane: DeviceLane
  readonly purgeReceived: () => Promise<void>
  readonly clock: Clock
  readonly log: Logger
}

/** The requests of one client: does them in order with its writes, and answers what is in force then. */
export class RequestDesk {
  readonly #options: RequestDeskOptions
  readonly #resets: ResetRecogniser
  readonly #keeper = new SettingsKeeper()
  #isBreaking = false
  #hasToldRefusal = false

  constructor(options: RequestDeskOptions) {
    this.#options = options
    this.#resets = new ResetRecogniser(options.port.lines.values)
  }

  /** The client sent bytes for the device, so its port is open. */
  sawData(): void {
    this.#resets.opened()
  }

  /** Never rejects. Of a client that may not change anything (`mayChange`), every request is a question. */
  async answer(request: PortRequest, mayChange: boolean): Promise<PortAnswer> {
    if (isPortSetting(request)) return await this.#answerSetting(request, mayChange)
    switch (request.kind) {
      case "dtr":
      case "rts":
      case "break": {
        const { kind, value } = request
        const isSet = value !== null && mayChange && (await this.#inTime(this.#changeLine(kind, value)))
        return { kind, value: isSet ? value : this.#options.port.lines.values[kind] }
      }
      case "purge":
        await this.#inTime(this.#purge(request.value, mayChange))
        return request
      case "modemState":
        return { kind: "modemState", lines: this.#options.port.modemState }
      case "lineState":
        // Nothing is told of errors on the line; what was sent to the port is out of the client's hands.
        return { kind: "lineState", state: { holdingEmpty: true, shiftEmpty: true } }
    }
  }

  /** A break of the usual length, after the writes before it. */
  sendBreak(): void {
    const { port, lane } = this.#options
    void this.#inTime(port.changeLines({}, () => lane.signal({ macro: breakMacro })))
  }

  /** The client has left: its break ends, and the port gets its settings back where that is wanted. Never rejects. */
  async leave(): Promise<void> {
    const { config, port, lane } = this.#options
    const change = config.restoreSettings ? this.#keeper.restoring(port.settings.values) : {}
    const isChanged = Object.keys(change).length > 0
    await Promise.all([
      this.#isBreaking && this.#inTime(this.#changeLine("break", false)),
      isChanged && this.#inTime(port.settings.change(change, () => lane.configure(change))),
    ])
  }

  async #answerSetting(request: PortSettingRequest, mayChange: boolean): Promise<PortAnswer> {
    const { settings } = this.#options.port
    const change = mayChange ? settingChange(request) : null
    if (change !== null) await this.#inTime(this.#changeSettings(change))
    // A port need not take what it is asked for, and says so in its answer.
    return settingInForce(request.kind, settings.values)
  }

  async #changeSettings(change: Partial<PortSettings>): Promise<void> {
    const { port, lane } = this.#options
    if (port.settings.has(change)) return
    this.#keeper.changed(change, port.settings.values)
    await port.settings.change(change, () => lane.configure(change))
  }

  async #changeLine(kind: keyof ShadowLines, value: boolean): Promise<void> {
    const { config, port, lane } = this.#options
    const change: Partial<ShadowLines> = { [kind]: value }
    if (kind === "break") this.#isBreaking = value
    else if (config.lines !== "pass") return this.#changeShadow(change)
    if (!port.lines.has(change)) await port.changeLines(change, () => lane.signal(change))
  }

  #changeShadow(change: Partial<ShadowLines>): void {
    const { config, port, lane } = this.#options
    port.lines.set(change)
    const found = this.#resets.change(change)
    if (found === null || config.lines !== "macro") return
    // Not awaited: the client's next changes of lines belong to the same reset, and are only to be answered.
    void this.#inTime(port.changeLines({}, () => lane.signal({ macro: config.macros[found] })))
  }

  async #purge(target: "rx" | "tx" | "both", mayChange: boolean): Promise<void> {
    this.#resets.opened()
    const purges: Promise<void>[] = []
    if (target !== "rx" && mayChange) purges.push(this.#options.lane.purge())
    if (target !== "tx") purges.push(this.#options.purgeReceived())
    await Promise.all(purges)
  }

  /** Waits for `work`, but not for long. Answers whether it has not failed. */
  async #inTime(work: Promise<void>): Promise<boolean> {
    const { clock, log } = this.#options
    let hasFailed = false
    const done = work.catch((error: unknown) => {
      hasFailed = true
      const { code, message } = toAppError(error)
      // Once, so that a client that goes on asking does not fill the log.
      log[this.#hasToldRefusal ? "debug" : "info"]({ code }, `a client's request was refused: ${message}`)
      this.#hasToldRefusal = true
    })
    await within(done, { clock, timeoutMs: answerMs })
    return !hasFailed
  }
}
