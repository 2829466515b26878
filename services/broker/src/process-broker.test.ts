import { createBrokerClient } from "@serialcast/broker-client"
import { createTopics } from "@serialcast/contract"
import { systemClock } from "@serialcast/primitives"
import { createLogger, createMetrics, loadConfig } from "@serialcast/service-kit"
import { eventually } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { createProcessBroker } from "./process-broker.ts"

test("joins the services of one process, and ends with their sessions", async () => {
  const log = createLogger({ name: "test", level: "silent" })
  const deps = { log, clock: systemClock, metrics: createMetrics(), token: null }
  const broker = await createProcessBroker(loadConfig({ values: {}, env: {} }), deps)
  const topics = createTopics()
  const options = { clientId: "one", topics, localBroker: broker.local, credentials: null }
  const client = createBrokerClient(options, deps)
  onTestFinished(() => client.close())
  client.start()
  await eventually(() => expect(client.isConnected).toBe(true))
  await client.publish(topics.tunnels("one"), Uint8Array.of(1))
  const heard: unknown[] = []
  await client.subscribe(topics.filter("tunnels"), ({ payload, retained }) =>
    heard.push([...payload, retained]),
  )
  await eventually(() => expect(heard).toEqual([[1, true]]))
  await broker.stop()
  expect(client.isConnected).toBe(false)
})
