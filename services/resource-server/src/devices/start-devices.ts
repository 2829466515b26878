import { setMaxListeners } from "node:events"
import { Arrivals } from "@serialcast/device-stream"
import { type Config, namedDevices, type ServiceDeps } from "@serialcast/service-kit"
import type { BrokerStore } from "../replica/broker-store.ts"
import { Followers } from "./last/followers.ts"
import { startOwnResources } from "./own/start-own-resources.ts"
import { type DeviceServerDeps, type FindHandler, findBuiltin } from "./serve-devices.ts"

export interface RunningDevices {
  readonly find: FindHandler
  /** Answers whoever waits for a device, and lets go of all of them. */
  stop(): Promise<void>
}

export interface DevicesDeps
  extends Pick<DeviceServerDeps, "devices" | "clock" | "log">,
    Pick<ServiceDeps, "metrics"> {
  readonly store: BrokerStore
}

/** What this server has of devices. */
export function startDevices(config: Config, deps: DevicesDeps): RunningDevices {
  const { devices, clock } = deps
  const { maxBody, devices: own } = config.resources
  const stopping = new AbortController()
  const { signal } = stopping
  // Every request for a device listens to it: more than ten are no leak here.
  setMaxListeners(0, signal)
  const arrivals = new Arrivals(devices, { clock, named: namedDevices(config), signal })
  const followers = new Followers(deps)
  const following = startOwnResources(own, { ...deps, signal })
  return {
    find: findBuiltin({ ...deps, maxBody, arrivals, followers, stopping: signal }),
    async stop() {
      stopping.abort()
      await Promise.all([followers.stop(), following])
    },
  }
}
