import { AppError, type DeviceState, type TunnelState, toAppError } from "@serialcast/contract"
import type { Device, DeviceLease, DeviceWriter, StreamEvent } from "@serialcast/device-stream"
import { createWakeup, delay, within } from "@serialcast/primitives"
import type { CableReport, CloseReason } from "@serialcast/serialtcp"
import {
  type SerialtcpClientTunnel,
  type SerialtcpServerTunnel,
  tellUnknownDevice,
  unknownDevice,
  untilKnown,
} from "@serialcast/service-kit"
import { createUnplugCheck } from "../from-device/unplug-marks.ts"
import type { TunnelDeps } from "../tunnel.ts"
import { LineWriter } from "./line-writer.ts"
import { OpenCable, type TcpSide } from "./open-cable.ts"

/** How long nobody else may write into the cable when this service died, in milliseconds. */
const leaseMs = 10_000
/** A device that cannot be used is tried again when its state changes, or after this. */
const retryMs = 1_000
const minRetryMs = 100
/** For what is said to the far end and to the agent at the end. */
const farewellMs = 500
/** For all of that. */
const stopMs = 1_500

export interface CableKeeperOptions {
  readonly config: SerialtcpServerTunnel | SerialtcpClientTunnel
  /** Holds the lease, where everyone sees it. */
  readonly by: string
  readonly tcp: TcpSide
}

const orderly: ReadonlySet<CloseReason> = new Set(["ended", "farEnded", "stopped"])

type Problem = TunnelState["problem"]

/**
 * Keeps one end of a cable at work: under the device's lease, so that nobody else writes into it; with a new one for
 * each opening of the port, so that nothing of one reaches the next; and again after whatever ended one.
 */
export class CableKeeper {
  readonly #options: CableKeeperOptions
  readonly #deps: TunnelDeps
  readonly #stopping = new AbortController()
  readonly #changed = createWakeup()
  #running: Promise<void> | null = null
  #cable: OpenCable | null = null
  #problem: Problem = null
  #unknown: Disposable | null = null

  constructor(options: CableKeeperOptions, deps: TunnelDeps) {
    this.#options = options
    this.#deps = deps
  }

  get problem(): Problem {
    const { devices } = this.#deps
    // Which device may be meant, those tell that are announced by now.
    if (this.#problem?.code === "unknown_device") return problemOf(unknownDevice(this.#address, devices))
    return this.#problem
  }

  get link(): TunnelState["link"] {
    switch (this.#cable?.phase) {
      case "idle":
        return "idle"
      case "calling":
      case "dialing":
        return "connecting"
      case "open":
        return "connected"
      default:
        return "synchronising"
    }
  }

  start(): void {
    this.#unknown = tellUnknownDevice({ ...this.#deps, address: this.#address })
    this.#running = this.#run()
  }

  get #address(): string {
    return this.#options.config.device
  }

  /** The number of clients that wait is another one. */
  clientsWaited(): void {
    this.#cable?.clientsWaited()
  }

  /** Resolves within 1.5 s, also when an agent that is away answers nothing. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#unknown?.[Symbol.dispose]()
    if (this.#running !== null) await within(this.#running, { clock: this.#deps.clock, timeoutMs: stopMs })
  }

  async #run(): Promise<void> {
    const { devices, clock } = this.#deps
    const { signal } = this.#stopping
    const forget = devices.devices.onChange(() => this.#changed.wake())
    while (!signal.aborted) {
      try {
        await this.#use()
      } catch (error) {
        this.#trouble(toAppError(error))
      }
      // Taking the lease changes the device's state too, so the news alone would make this loop spin.
      await delay(clock, minRetryMs, signal)
      await this.#changed.wait({ signal, timeout: { clock, ms: retryMs } })
    }
    forget()
  }

  /** Resolves when the opening of the port is over. Throws what keeps it from being used. */
  async #use(): Promise<void> {
    const { devices, clock } = this.#deps
    const { config, by } = this.#options
    const { signal } = this.#stopping
    if (devices.devices.get(config.device) === undefined) {
      this.#trouble(unknownDevice(config.device, devices))
      await untilKnown(devices, config.device, signal)
    }
    if (signal.aborted) return
    const device = devices.device(config.device)
    const state = devices.devices.get(config.device)
    if (state === undefined || !state.online) throw offline(config.device, state?.problem ?? null)
    const lease = await device.acquireLease({ by, ttlMs: leaseMs })
    try {
      // Its answer may come long after the stop.
      if (!signal.aborted) await this.#hold(device, lease, state)
    } finally {
      // It ends by itself too.
      await within(Promise.resolve(lease[Symbol.asyncDispose]()), { clock, timeoutMs: farewellMs })
    }
  }

  async #hold(device: Device, lease: DeviceLease, state: DeviceState): Promise<void> {
    const { clock } = this.#deps
    const leaving = new AbortController()
    const onStop = () => leaving.abort(null)
    const onLost = () => leaving.abort(takenOver())
    this.#stopping.signal.addEventListener("abort", onStop)
    lease.lost.addEventListener("abort", onLost)
    if (this.#stopping.signal.aborted) onStop()
    const line = new LineWriter({
      openWriter: (signal) => this.#openWriter(device, lease, state, signal),
      clock,
      onFailed: (error) => leaving.abort(error),
    })
    const cable = this.#openCable(line)
    this.#cable = cable
    this.#problem = null
    try {
      await this.#feed(device, cable, createUnplugCheck(state), leaving.signal)
    } finally {
      this.#stopping.signal.removeEventListener("abort", onStop)
      lease.lost.removeEventListener("abort", onLost)
      this.#cable = null
      // Only an orderly end has something to say to the far end: what was written to this opening must not reach the next.
      if (!this.#stopping.signal.aborted) await line.close()
      cable.stop()
      await within(line.drained(), { clock, timeoutMs: farewellMs })
      await line.close()
      this.#deps.onChange()
    }
    if (leaving.signal.reason instanceof AppError) throw leaving.signal.reason
  }

  /** Throws `device_offline` when the port was opened again since. */
  #openWriter(device: Device, lease: DeviceLease, state: DeviceState, signal: AbortSignal): DeviceWriter {
    const { config, by } = this.#options
    const now = this.#deps.devices.devices.get(config.device)
    if (now?.open !== state.open || now.epoch !== state.epoch) throw closed()
    return device.openWriter({ by, lease: lease.fence, signal })
  }

  #openCable(line: LineWriter): OpenCable {
    const { config, tcp } = this.#options
    const { silenceMs, graceMs, timeoutMs, syncTimeoutMs } = config
    const end = { silenceMs, graceMs, connectTimeoutMs: timeoutMs, syncTimeoutMs: syncTimeoutMs ?? undefined }
    const { clock, onChange } = this.#deps
    const onReport = (report: CableReport) => this.#report(report)
    return new OpenCable({ end, tcp, line, clock, onReport, onPhase: onChange })
  }

  /** Resolves when `signal` is aborted. Throws `device_offline` when this opening of the port is over, or `lease_lost`. */
  async #feed(
    device: Device,
    cable: OpenCable,
    isUnplug: (event: StreamEvent) => boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { by } = this.#options
    for await (const event of device.read({ signal })) {
      if (isUnplug(event)) throw closed()
      if (event.kind === "mark" && event.mark.kind === "leased" && event.mark.holder !== by) throw takenOver()
      if (event.kind === "bytes") await cable.receive(event.bytes, signal)
      else if (event.kind === "positioned" && cable.phase === "stopped") cable.start()
      else if (event.kind === "gap" || (event.kind === "mark" && event.mark.kind === "overrun")) cable.tear()
      if (signal.aborted) return
    }
  }

  #report(report: CableReport): void {
    const { log } = this.#deps
    const { device } = this.#options.config
    if (report.kind === "synchronised") this.#problem = null
    if (report.kind === "sameRole") this.#trouble(sameRole())
    else if (report.kind === "syncTimedOut") this.#trouble(silent(report.timeoutMs))
    else if (report.kind === "closed" && !orderly.has(report.reason))
      log.info(
        { device, reason: report.reason },
        "a connection through a serialtcp cable was ended or not made",
      )
    else log.debug({ device, ...report }, "serialtcp")
  }

  #trouble(error: AppError): void {
    const { log, onChange } = this.#deps
    const { code, message } = error
    if (this.#problem?.code === code && this.#problem.message === message) return
    this.#problem = problemOf(error)
    // At a start the agent's announcement is a moment away; that it does not come is told later.
    const level = code === "unknown_device" ? "debug" : "warn"
    log[level](
      { device: this.#options.config.device, code, reason: message },
      "a serialtcp tunnel cannot work",
    )
    onChange()
  }
}

function problemOf({ code, message }: AppError): Problem {
  return { code, message }
}

function takenOver(): AppError {
  return new AppError("lease_lost", "Somebody else took over the device.")
}

function closed(): AppError {
  return new AppError("device_offline", "The port was closed.")
}

function offline(address: string, problem: Problem): AppError {
  return new AppError("device_offline", problem?.message ?? `The port of ${address} is not open.`)
}

function sameRole(): AppError {
  const text =
    "The other end of the cable has the same role as this one, or the cable is looped back; one has to be a"
  return new AppError("bad_config", `${text} server and the other one a client.`)
}

function silent(timeoutMs: number): AppError {
  return new AppError("no_reply", `The other end of the cable did not answer for ${timeoutMs / 1_000} s.`)
}
