import { AppError } from "@serialcast/contract"
import { systemClock, withDeadline } from "@serialcast/primitives"
import { createRefusals } from "../access/refusals.ts"
import { loadToken, tokenFileAdvice } from "../access/token.ts"
import { createMetrics } from "../admin/admin-server.ts"
import { startAdmin } from "../admin/start-admin.ts"
import type { ListeningPart } from "../config/colliding-listeners.ts"
import type { Config } from "../config/config.ts"
import { loadConfig } from "../config/load-config.ts"
import { createLogger } from "../log/logger.ts"
import { failureText } from "./failure-text.ts"
import type { RunningService, ServiceDeps } from "./service.ts"
import { type RunningGroup, startInOrder } from "./start-in-order.ts"
import { stopSignal } from "./stop-signal.ts"

export interface MainOptions {
  /** The service, as it calls itself in logs. */
  readonly name: string
  /** The parts of the configuration whose listeners the service opens, besides `admin`; default: none. */
  readonly opens?: readonly ListeningPart[]
  readonly start: (config: Config, deps: ServiceDeps) => Promise<RunningService>
}

// Within the 5 s that a process has after SIGTERM, and more than the group allows itself.
const stopTimeoutMs = 4_800

/**
 * The main function of a service: runs it between configuration and SIGTERM, with its admin listener, then ends the
 * process. Exit code 0 after an orderly stop, 1 when it could not start or stop.
 */
export async function runMain({ name, opens = [], start }: MainOptions): Promise<void> {
  const signalled = stopSignal({ clock: systemClock, insist: () => process.exit(1) })
  try {
    refuseArguments(process.argv.slice(2))
    const config = loadConfig({ env: process.env, opens: [...opens, "admin"] })
    const log = createLogger({ name, level: config.log.level })
    process.on("SIGHUP", () => log.info("SIGHUP changes nothing: the configuration is read at the start"))
    const deps = { log, clock: systemClock, metrics: createMetrics(), token: loadToken(config) }
    const advice = tokenFileAdvice(config)
    if (advice !== null) log.warn(advice)
    const started = startWithAdmin(config, deps, start)
    // A signal may come while the service still waits for something in order to start.
    await Promise.race([started, signalled])
    log.info({ signal: await signalled }, "stopping")
    await stopInTime(started)
    process.exit(0)
  } catch (error) {
    process.stderr.write(failureText(name, error))
    process.exit(1)
  }
}

/** Whoever passes one, `--help` above all, is told where the settings are. */
function refuseArguments(given: readonly string[]): void {
  if (given.length === 0) return
  const found = given.map((argument) => JSON.stringify(argument)).join(" ")
  throw new AppError(
    "bad_config",
    `Expected no arguments, found ${found}: settings are in serialcast.yaml and in SERIALCAST_* variables, as docs/reference/configuration.md lists them.`,
  )
}

function startWithAdmin(
  config: Config,
  deps: ServiceDeps,
  start: MainOptions["start"],
): Promise<RunningGroup> {
  const running: RunningService[] = []
  const { metrics, token } = deps
  const { hosts } = config.access
  const refusals = createRefusals({ listener: "admin", ...deps })
  return startInOrder([
    () => startAdmin(config.admin.listen, { metrics, services: () => running, token, hosts, refusals }),
    async () => {
      const service = await start(config, deps)
      running.push(service)
      deps.log.info("started")
      return service
    },
  ])
}

async function stopInTime(started: Promise<RunningGroup>): Promise<void> {
  const stopped = started.then((group) => group.stop())
  const error = () => new AppError("internal", `The service did not stop within ${stopTimeoutMs} ms.`)
  await withDeadline(stopped, { clock: systemClock, timeoutMs: stopTimeoutMs, error })
}
