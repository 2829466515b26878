import type { Config } from "./config.ts"

/** The addresses that a configuration itself names: who asks for one of them has not mistyped it. */
export function namedDevices({ gateway, devices, http }: Config): ReadonlySet<string> {
  const named = new Set(Object.keys(devices).map((device) => `${gateway}/${device}`))
  if (http.defaultDevice !== null) named.add(http.defaultDevice)
  return named
}
