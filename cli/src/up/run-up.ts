import { devicesOf } from "@serialcast/serial-agent"
import {
  createLogger,
  createMetrics,
  listeningParts,
  loadConfig,
  loadToken,
  tokenFileAdvice,
  version,
} from "@serialcast/service-kit"
import type { CommandContext } from "../command/context.ts"
import { outliveHangUp } from "../command/outlive-hang-up.ts"
import { untilAborted } from "../command/until-aborted.ts"
import { createPaint } from "../terminal/paint.ts"
import { awaitDevices } from "./await-devices.ts"
import { formatBanner } from "./banner.ts"
import { startAll } from "./start-all.ts"

export interface UpOptions {
  /** The configuration file. */
  readonly config: string | undefined
  /** The policy for ports that are not configured. */
  readonly discover: string | undefined
}

/** Runs everything in this process until Ctrl-C. Throws what kept it from starting. */
export async function runUp({ config: file, discover }: UpOptions, context: CommandContext): Promise<void> {
  const { env, stdout, clock } = context
  const config = loadConfig({
    file,
    opens: listeningParts,
    env: discover === undefined ? env : { ...env, SERIALCAST_DISCOVER: discover },
  })
  const log = createLogger({ name: "up", level: config.log.level })
  const signal = outliveHangUp(context, (sentence) => log.info(sentence))
  const deps = { log, clock, metrics: createMetrics(), token: loadToken(config) }
  const advice = tokenFileAdvice(config)
  if (advice !== null) log.warn(advice)
  const all = await startAll(config, deps)
  await awaitDevices(all.devices, Object.keys(devicesOf(config)).length, clock)
  await stdout.write(formatBanner({ version, ...all.served() }, createPaint(stdout.hasColors)))
  await untilAborted(signal)
  await all.stop()
}
