import type { ResourcesConfig, ServiceDeps } from "@serialcast/service-kit"
import { Counter } from "@serialcast/service-kit"
import { followOwnResources, type OwnResourcesDeps } from "./own-resources.ts"

/** Follows all devices that may have resources of their own. Resolves when that was ended, and all is left. */
export async function startOwnResources(
  devices: ResourcesConfig["devices"],
  deps: Omit<OwnResourcesDeps, "count"> & Pick<ServiceDeps, "metrics">,
): Promise<void> {
  const lines = new Counter({
    name: "serialcast_resource_lines_total",
    help: "Lines of devices about resources of their own, by what became of them.",
    labelNames: ["device", "outcome"],
    registers: [deps.metrics],
  })
  const followed = Object.entries(devices).map(([device, config]) =>
    followOwnResources(
      { ...config, device },
      { ...deps, count: (outcome) => lines.inc({ device, outcome }) },
    ),
  )
  await Promise.all(followed)
}
