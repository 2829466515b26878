import { AppError, isErrorCode } from "@serialcast/contract"
import { after, createWakeup, msUntil, type Wakeup } from "@serialcast/primitives"
import { type Config, createLogger, createMetrics } from "@serialcast/service-kit"
import type { CommandContext } from "../command/context.ts"
import { type ExitCode, exitCodes } from "../command/exit-code.ts"
import { outliveHangUp } from "../command/outlive-hang-up.ts"
import { formatSettings } from "../devices/format-settings.ts"
import { type BridgeView, bridgeNews, lookAt, troubleOf } from "./bridge-news.ts"
import { createCableSearch } from "./cable-search.ts"
import { type RunningBridge, startBridge } from "./start-bridge.ts"

/** A device on the network may be looked for by name, and time out. */
const openTimeoutMs = 15_000

/**
 * Bridges until Ctrl-C, or until the other end of a cable was not found in time. Throws what kept it from starting:
 * `listen_failed`, or why the port could not be opened.
 */
export async function runBridge(config: Config, given: CommandContext): Promise<ExitCode> {
  const { clock, stdout, stderr } = given
  const signal = outliveHangUp(given, (sentence) => void stderr.write(`${sentence}\n`).catch(() => {}))
  const context = { ...given, signal }
  const changed = createWakeup()
  // People read the news; what a service has to log beyond them is a fault.
  const log = createLogger({ name: "bridge", level: "error" })
  const deps = { log, clock, metrics: createMetrics(), token: null, onChange: () => changed.wake() }
  const bridge = await startBridge(config, deps)
  try {
    await untilOpen(bridge, changed, context)
    if (context.signal.aborted) return exitCodes.done
    await stdout.write(`${headline(viewOf(bridge))}\n`)
    return await watch(bridge, changed, { ...context, syncTimeoutMs: syncTimeoutOf(config) })
  } finally {
    await bridge.stop()
  }
}

function viewOf(bridge: RunningBridge, before?: BridgeView): BridgeView {
  return lookAt({ device: bridge.device(), tunnel: bridge.tunnel() }, before)
}

/** Throws what is wrong with the port: whoever bridges by hand is there to correct it. */
async function untilOpen(
  bridge: RunningBridge,
  changed: Wakeup,
  { clock, signal }: Pick<CommandContext, "clock" | "signal">,
): Promise<void> {
  const endMs = after(clock.monotonicMs(), openTimeoutMs)
  while (!signal.aborted) {
    const { online = false, problem = null } = bridge.device() ?? {}
    if (online) return
    // Until the agent is heard, its device is offline for that reason alone.
    if (problem !== null && problem.code !== "device_offline" && problem.code !== "broker_offline")
      throw new AppError(isErrorCode(problem.code) ? problem.code : "open_failed", problem.message)
    const leftMs = msUntil(clock, endMs)
    if (leftMs === 0)
      throw new AppError("open_failed", `The port was not open after ${openTimeoutMs / 1000} s.`)
    await changed.wait({ signal, timeout: { clock, ms: leftMs } })
  }
}

/** One line with where the bridge's ends are. */
function headline({ device, tunnel }: BridgeView): string {
  const port = device === undefined ? "" : `${device.port} (${formatSettings(device.settings)})`
  return `${tunnel.type} ${tunnel.endpoint} <-> ${port}`
}

interface WatchOptions extends Pick<CommandContext, "clock" | "signal" | "stderr"> {
  readonly syncTimeoutMs: number | null
}

async function watch(
  bridge: RunningBridge,
  changed: Wakeup,
  { clock, signal, stderr, syncTimeoutMs }: WatchOptions,
): Promise<ExitCode> {
  const tell = (line: string) => stderr.write(`${line}\n`)
  const search = createCableSearch(clock, syncTimeoutMs)
  const start = viewOf(bridge)
  // Who connected in the meantime is news.
  let before: BridgeView = { ...start, tunnel: { ...start.tunnel, clients: [] } }
  const first = troubleOf(before)
  if (first !== null) await tell(first)
  else if (!before.isFound) await tell("Looking for the other end of the cable.")
  while (!signal.aborted) {
    const now = viewOf(bridge, before)
    const news = bridgeNews(before, now)
    before = now
    for (const line of news) await tell(line)
    // More may have happened while it was told, and nobody waited for it.
    if (news.length > 0) continue
    const leftMs = search.leftMs(now)
    if (leftMs <= 0) {
      await tell("The other end of the cable was not found in time.")
      return exitCodes.unsynchronised
    }
    await changed.wait({ signal, ...(leftMs === Infinity ? {} : { timeout: { clock, ms: leftMs } }) })
  }
  return exitCodes.done
}

function syncTimeoutOf({ tunnels: [tunnel] }: Config): number | null {
  return tunnel !== undefined && "syncTimeoutMs" in tunnel ? tunnel.syncTimeoutMs : null
}
