import { type DeviceState, formatAddress } from "@serialcast/contract"
import type { DeviceClient } from "@serialcast/device-stream"
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
import type { Output } from "../terminal/output.ts"
import { createPaint } from "../terminal/paint.ts"
import { awaitDevices } from "./await-devices.ts"
import { formatBanner, formatDevice } from "./banner.ts"
import { DeviceNews } from "./device-news.ts"
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
  const { gateway } = config
  await awaitDevices(all.devices, { gateway, count: Object.keys(devicesOf(config)).length }, clock)
  const served = all.served()
  await stdout.write(formatBanner({ version, ...served }, createPaint(stdout.hasColors)))
  const news = new DeviceNews(gateway, served.isConnected ? served.devices : [])
  const forget = tellNews(all.devices, news, stdout)
  await untilAborted(signal)
  forget()
  await all.stop()
}

/** A line for each device of which the banner's list is true no more, until the answer is called. */
function tellNews({ devices }: DeviceClient, news: DeviceNews, stdout: Output): () => void {
  const paint = createPaint(stdout.hasColors)
  const tell = (states: readonly DeviceState[]) => {
    const lines = news.take(states).map((state) => formatDevice(state, paint))
    // Who reads only the banner has not stopped the gateway with it.
    if (lines.length > 0) void stdout.write(lines.join("")).catch(() => {})
  }
  const forget = devices.onChange((changed) => {
    const state = devices.get(formatAddress(changed))
    if (state !== undefined) tell([state])
  })
  tell(devices.list())
  return forget
}
