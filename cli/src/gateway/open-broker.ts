import type { BrokerClient } from "@serialcast/broker-client"
import { AppError } from "@serialcast/contract"
import {
  brokerUrl,
  type Config,
  connectToBroker,
  createLogger,
  createMetrics,
  type Logger,
  loadConfig,
  loadToken,
} from "@serialcast/service-kit"
import type { CommandContext } from "../command/context.ts"

/** How long a broker may take to be reached, in milliseconds. */
export const connectMs = 5_000

export interface OpenBroker {
  /** Not started yet. */
  readonly broker: BrokerClient
  /** Shows nothing: what it is told is kept for `unreachable`. */
  readonly log: Logger
  /** `broker_offline`, with the reason that the connection gave. */
  readonly unreachable: (cause: unknown) => AppError
}

/** The broker that the options mean, else the environment, else the configuration. Throws `bad_config`. */
export function openBroker(
  { broker: url, config: file }: { readonly broker: string | undefined; readonly config: string | undefined },
  { env, clock }: Pick<CommandContext, "env" | "clock">,
): OpenBroker {
  const config = loadConfig({ file, env: url === undefined ? env : { ...env, SERIALCAST_BROKER_URL: url } })
  const trouble: { reason?: string } = {}
  // A person is told once and in words: the reasons that the connection gives are kept for that.
  const log = createLogger({
    name: "cli",
    level: "warn",
    pretty: false,
    destination: {
      write(line) {
        const { reason } = JSON.parse(line) as { reason?: unknown }
        if (typeof reason === "string") trouble.reason = reason
      },
    },
  })
  const deps = { log, clock, metrics: createMetrics(), token: loadToken(config) }
  const broker = connectToBroker(config, deps, { name: "cli" })
  return { broker, log, unreachable: (cause) => brokerAway(config, trouble.reason, cause) }
}

function brokerAway({ broker }: Config, reason: string | undefined, cause: unknown): AppError {
  const { protocol, host } = new URL(brokerUrl(broker))
  return new AppError(
    "broker_offline",
    `No broker answered at ${protocol}//${host} within ${connectMs / 1000} s${reason === undefined ? "" : ` (${reason})`}: ` +
      "start one with serialcast up, or name it with --broker.",
    { cause },
  )
}
