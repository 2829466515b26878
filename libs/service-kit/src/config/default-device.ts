import type { Config } from "./config.ts"

/** The device of requests that name none: the configured one, else the only configured one, else the demo echo. */
export function defaultDevice({ gateway, devices, http }: Config): string {
  if (http.defaultDevice !== null) return http.defaultDevice
  const [only, ...others] = Object.keys(devices)
  return only !== undefined && others.length === 0 ? `${gateway}/${only}` : `${gateway}/demo-echo`
}
