import { loadConfig } from "@serialcast/service-kit"
import { expect, test } from "vitest"
import { resourceServerConfig } from "./config.ts"

const defaults = loadConfig({ env: {} })

test("with the defaults there is room for all resources", () => {
  expect(resourceServerConfig(defaults)).toMatchObject({ maxUri: 100, tls: undefined, hosts: [] })
})

test("more than the embedded broker retains is refused, with what it needs; another broker is not judged", () => {
  const resources = { ...defaults.resources, maxUri: 10_000 }
  const { broker } = defaults
  expect(() => resourceServerConfig({ ...defaults, resources })).toThrow(
    /clientBufferBytes: expected at least 34MiB/,
  )
  const enough = { ...broker, clientBufferBytes: 34 * 1024 * 1024 }
  expect(resourceServerConfig({ ...defaults, resources, broker: enough }).maxUri).toBe(10_000)
  const other = { ...broker, url: "mqtt://broker:1883" }
  expect(resourceServerConfig({ ...defaults, resources, broker: other }).maxUri).toBe(10_000)
})

test("a certificate that cannot be read is told with its key", () => {
  const resources = { ...defaults.resources, tls: { cert: "/nowhere/cert.pem", key: "/nowhere/key.pem" } }
  expect(() => resourceServerConfig({ ...defaults, resources })).toThrow(
    /resources\.tls\.cert: \/nowhere\/cert\.pem/,
  )
})
