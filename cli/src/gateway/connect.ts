import { AppError } from "@serialcast/contract"
import { createDeviceClient, type DeviceClient } from "@serialcast/device-stream"
import {
  brokerUrl,
  type Config,
  connectToBroker,
  createLogger,
  createMetrics,
  loadConfig,
  loadToken,
} from "@serialcast/service-kit"
import type { CommandContext } from "../command/context.ts"
import type { OptionTable, OptionValues } from "../command/options.ts"

const timeoutMs = 5_000

/** The options of every command that talks to a gateway that runs. */
export const connectionOptions = {
  broker: {
    type: "string",
    short: "b",
    value: "url",
    help: "The gateway's broker (default: that of the configuration, or mqtt://127.0.0.1:1883)",
  },
  config: {
    type: "string",
    short: "c",
    value: "file",
    help: "Configuration with broker and token (default: ./serialcast.yaml when it is there)",
  },
} as const satisfies OptionTable

export interface GatewayConnection extends AsyncDisposable {
  readonly client: DeviceClient
  /** Who this is, as it stands in marks and leases. */
  readonly by: string
}

/**
 * Joins the broker, as a service would, and waits until the states of the devices are there. Throws `broker_offline`
 * when it cannot be reached within 5 s, and `bad_config`.
 */
export async function connectToGateway(
  { broker, config: file }: OptionValues<typeof connectionOptions>,
  { env, clock }: Pick<CommandContext, "env" | "clock">,
): Promise<GatewayConnection> {
  const config = loadConfig({
    file,
    env: broker === undefined ? env : { ...env, SERIALCAST_BROKER_URL: broker },
  })
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
  const client = await createDeviceClient(connectToBroker(config, deps, { name: "cli" }), deps)
  try {
    await client.whenReady(timeoutMs)
  } catch (cause) {
    await client.close()
    throw unreachable(config, trouble.reason, cause)
  }
  return {
    client,
    // As long as the contract lets a principal's name be, whatever characters it has.
    by: `cli:${(env["USER"] ?? "anonymous").slice(0, 32)}`,
    [Symbol.asyncDispose]: () => client.close(),
  }
}

function unreachable({ broker }: Config, reason: string | undefined, cause: unknown): AppError {
  const { protocol, host } = new URL(brokerUrl(broker))
  return new AppError(
    "broker_offline",
    `No broker answered at ${protocol}//${host} within ${timeoutMs / 1000} s${reason === undefined ? "" : ` (${reason})`}: ` +
      "start one with serialcast up, or name it with --broker.",
    { cause },
  )
}
