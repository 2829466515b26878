import { systemClock } from "@serialcast/primitives"
import { devicesOf } from "@serialcast/serial-agent"
import {
  createLogger,
  createMetrics,
  loadConfig,
  loadToken,
  stopSignal,
  version,
} from "@serialcast/service-kit"
import type { UpCommand } from "../command-line.ts"
import { awaitDevices } from "./await-devices.ts"
import { formatBanner } from "./banner.ts"
import { createPaint } from "./paint.ts"
import { startAll } from "./start-all.ts"

/** Runs everything in this process until Ctrl-C; answers the exit code. Throws what kept it from starting. */
export async function runUp({ config: file, discover }: UpCommand): Promise<number> {
  const signalled = stopSignal({ clock: systemClock, insist: () => process.exit(1) })
  const env = discover === undefined ? process.env : { ...process.env, SERIALCAST_DISCOVER: discover }
  const config = loadConfig({ file, env })
  const log = createLogger({ name: "up", level: config.log.level })
  const deps = { log, clock: systemClock, metrics: createMetrics(), token: loadToken(config) }
  const all = await startAll(config, deps)
  await awaitDevices(all.devices, Object.keys(devicesOf(config)).length, systemClock)
  const hasColors = process.stdout.isTTY && process.stdout.hasColors()
  process.stdout.write(formatBanner({ version, ...all.served() }, createPaint(hasColors)))
  await signalled
  await all.stop()
  return 0
}
