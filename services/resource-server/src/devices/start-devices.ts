import { setMaxListeners } from "node:events"
import { Arrivals } from "@serialcast/device-stream"
import { type Config, namedDevices } from "@serialcast/service-kit"
import { Followers } from "./last/followers.ts"
import { type DeviceServerDeps, type FindHandler, findBuiltin } from "./serve-devices.ts"

export interface RunningDevices {
  readonly find: FindHandler
  /** Answers whoever waits for a device, and lets go of all of them. */
  stop(): Promise<void>
}

/** What this server has of devices. */
export function startDevices(
  config: Config,
  deps: Pick<DeviceServerDeps, "devices" | "clock" | "log" | "maxBody">,
): RunningDevices {
  const { devices, clock } = deps
  const stopping = new AbortController()
  const { signal } = stopping
  // Every request for a device listens to it: more than ten are no leak here.
  setMaxListeners(0, signal)
  const arrivals = new Arrivals(devices, { clock, named: namedDevices(config), signal })
  const followers = new Followers(deps)
  return {
    find: findBuiltin({ ...deps, arrivals, followers, stopping: signal }),
    async stop() {
      stopping.abort()
      await followers.stop()
    },
  }
}
