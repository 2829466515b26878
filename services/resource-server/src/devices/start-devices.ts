import { setMaxListeners } from "node:events"
import { Arrivals } from "@serialcast/device-stream"
import { type Config, namedDevices, type ServiceDeps } from "@serialcast/service-kit"
import type { BrokerStore } from "../replica/broker-store.ts"
import { findForward } from "./forward/find-forward.ts"
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
  const { maxBody, html, devices: own, forward } = config.resources
  const stopping = new AbortController()
  const { signal } = stopping
  // Every request for a device listens to it: more than ten are no leak here.
  setMaxListeners(0, signal)
  const named = new Set([
    ...namedDevices(config),
    ...Object.keys(own),
    ...forward.map(({ device }) => device),
  ])
  const arrivals = new Arrivals(devices, { clock, named, signal })
  const followers = new Followers(deps)
  const following = startOwnResources(own, { ...deps, signal })
  const served = { ...deps, maxBody, html, arrivals, followers, stopping: signal }
  const finders = [findBuiltin(served), findForward(forward, served)]
  return {
    find(request) {
      for (const find of finders) {
        const handler = find(request)
        if (handler !== undefined) return handler
      }
      return undefined
    },
    async stop() {
      stopping.abort()
      await Promise.all([followers.stop(), following])
    },
  }
}
