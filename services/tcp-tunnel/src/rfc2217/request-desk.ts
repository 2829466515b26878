import { type PortSettings, toAppError } from "@serialcast/contract"
import { after, type Clock, createWakeup, msUntil, within } from "@serialcast/primitives"
import type { PortAnswer, PortRequest } from "@serialcast/rfc2217"
import type { Logger, Rfc2217Tunnel } from "@serialcast/service-kit"
import type { DeviceLane } from "../to-device/device-lane.ts"
import { Allowance } from "./allowance.ts"
import { ResetRecogniser } from "./reset-recogniser.ts"
import { isPortSetting, type PortSettingRequest, settingChange, settingInForce } from "./setting-request.ts"
import { SettingsKeeper } from "./settings-keeper.ts"
import type { ShadowLines, SharedPort } from "./shared-port.ts"

/**
 * A request is answered after this time at the latest, in milliseconds: bytes before it may take long to the device, and
 * pySerial waits 3 s. What was asked for is the answer then, because it will be done in its turn.
 */
const answerMs = 1_000

/**
 * What a client may have asked for that is still to be done: beyond it no more is begun. Programs wait for their answers;
 * pySerial has ten of them at most.
 */
const maxUnderway = 32

/** Resets that may wait or play: a program that resets a board twice means the second one. */
const maxResets = 2

/**
 * Breaks and resets that a client may have in a row; later ones come two a second. Each lasts a quarter of a second or so, and
 * a client may ask for a hundred thousand in its last breath: nobody else would have the device for hours.
 */
const macroBudget = { burst: 16, refillMs: 500 }

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
  readonly #macros: Allowance
  readonly #keeper = new SettingsKeeper()
  #isBreaking = false
  #hasToldRefusal = false
  readonly #ended = createWakeup()
  #underway = 0
  #resetsUnderway = 0
  #isSendingBreak = false
  #dropped = 0

  constructor(options: RequestDeskOptions) {
    this.#options = options
    this.#resets = new ResetRecogniser(options.port.lines.values)
    this.#macros = new Allowance(macroBudget, options.clock)
  }

  /** The client sent bytes for the device, so its port is open. */
  sawData(): void {
    this.#resets.opened()
  }

  /**
   * Resolves when there is room for one more request; false: there is none within the time for an answer, as the device takes
   * nothing. Such a request is to be a question.
   */
  async room(): Promise<boolean> {
    const { clock } = this.#options
    const endMs = after(clock.monotonicMs(), answerMs)
    while (this.#underway >= maxUnderway) {
      const ms = msUntil(clock, endMs)
      if (ms === 0) return false
      await this.#ended.wait({ timeout: { clock, ms } })
    }
    return true
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

  /** A break of the usual length, after the writes before it; none while one waits or lasts, or when there were many. */
  sendBreak(): void {
    if (this.#isSendingBreak || !this.#macros.take()) {
      this.#dropped += 1
      return
    }
    const { port, lane } = this.#options
    this.#isSendingBreak = true
    const sent = port.changeLines({}, () => lane.signal({ macro: breakMacro }))
    void this.#inTime(
      sent.finally(() => {
        this.#isSendingBreak = false
      }),
    )
  }

  /** The client has left: its break ends, and the port gets its settings back where that is wanted. Never rejects. */
  async leave(): Promise<void> {
    const { config, port, lane, log } = this.#options
    if (this.#dropped > 0)
      log.info({ dropped: this.#dropped }, "breaks and resets came during others of a client")
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
    if (this.#resetsUnderway >= maxResets || !this.#macros.take()) {
      this.#dropped += 1
      return
    }
    this.#resetsUnderway += 1
    const played = port.changeLines({}, () => lane.signal({ macro: config.macros[found] }))
    // Not awaited: the client's next changes of lines belong to the same reset, and are only to be answered.
    void this.#inTime(
      played.finally(() => {
        this.#resetsUnderway -= 1
      }),
    )
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
    this.#underway += 1
    const failed = (error: unknown) => {
      hasFailed = true
      const { code, message } = toAppError(error)
      // Once, so that a client that goes on asking does not fill the log.
      log[this.#hasToldRefusal ? "debug" : "info"]({ code }, `a client's request was refused: ${message}`)
      this.#hasToldRefusal = true
    }
    const done = work.catch(failed).finally(() => {
      this.#underway -= 1
      this.#ended.wake()
    })
    await within(done, { clock, timeoutMs: answerMs })
    return !hasFailed
  }
}
