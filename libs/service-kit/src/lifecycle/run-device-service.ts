import { createDeviceClient, type DeviceClient } from "@serialcast/device-stream"
import { within } from "@serialcast/primitives"
import { connectToBroker } from "../broker/connect-to-broker.ts"
import type { Config } from "../config/config.ts"
import { type MainOptions, runMain } from "./run-main.ts"
import type { RunningService, ServiceDeps } from "./service.ts"

const goodbyeMs = 1_000

export interface DeviceServiceDeps extends ServiceDeps {
  readonly devices: DeviceClient
}

export interface DeviceServiceOptions extends Pick<MainOptions, "opens"> {
  /** The service, as it calls itself in logs and on the broker. */
  readonly name: string
  readonly start: (config: Config, deps: DeviceServiceDeps) => Promise<RunningService>
}

/** The main function of a service that reads and writes devices: `runMain`, with a connection to them around the service. */
export async function runDeviceService({ name, opens, start }: DeviceServiceOptions): Promise<void> {
  await runMain({
    name,
    ...(opens === undefined ? {} : { opens }),
    async start(config, deps) {
      const devices = await createDeviceClient(connectToBroker(config, deps, { name }), deps)
      const running = await start(config, { ...deps, devices })
      return {
        ...running,
        async stop() {
          await running.stop()
          // A broker that takes nothing is left without a word: its client would wait longer for it than a stop may take.
          await within(devices.close(), { clock: deps.clock, timeoutMs: goodbyeMs })
        },
      }
    },
  })
}
