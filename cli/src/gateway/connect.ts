import { createDeviceClient, type DeviceClient } from "@serialcast/device-stream"
import type { CommandContext } from "../command/context.ts"
import type { OptionTable, OptionValues } from "../command/options.ts"
import { connectMs, openBroker } from "./open-broker.ts"

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
  values: OptionValues<typeof connectionOptions>,
  { env, clock }: Pick<CommandContext, "env" | "clock">,
): Promise<GatewayConnection> {
  const { broker, log, unreachable } = openBroker(values, { env, clock })
  const client = await createDeviceClient(broker, { clock, log })
  try {
    await client.whenReady(connectMs)
  } catch (cause) {
    await client.close()
    throw unreachable(cause)
  }
  return {
    client,
    // As long as the contract lets a principal's name be, whatever characters it has.
    by: `cli:${(env["USER"] ?? "anonymous").slice(0, 32)}`,
    [Symbol.asyncDispose]: () => client.close(),
  }
}
