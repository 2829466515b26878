import { createBroker } from "@serialcast/broker"
import { createDeviceClient } from "@serialcast/device-stream"
import { systemClock } from "@serialcast/primitives"
import { createSerialAgent, deviceAt } from "@serialcast/serial-agent"
import {
  connectToBroker,
  createLogger,
  createMetrics,
  loadConfig,
  type ServiceDeps,
} from "@serialcast/service-kit"
import { checkCounting, countingBytes, createTemporaryFolder, eventually, openPty } from "@serialcast/testkit"
import { expect, test } from "vitest"

const free = {
  SERIALCAST_BROKER_LISTEN: "127.0.0.1:0",
  SERIALCAST_BROKER_WEBSOCKET: "127.0.0.1:0",
  SERIALCAST_BROKER_DIR: "off",
}

function createDeps(): ServiceDeps {
  const log = createLogger({ name: "test", level: "silent" })
  return { log, clock: systemClock, metrics: createMetrics(), token: null }
}

test("bytes that the device sends while the broker is dead are read, kept, and delivered after its return", async () => {
  await using pty = await openPty()
  using journal = createTemporaryFolder()
  const first = await createBroker(loadConfig({ env: free }), createDeps())
  const listen = `127.0.0.1:${first.address.port}`
  const config = {
    ...loadConfig({
      env: {
        ...free,
        SERIALCAST_BROKER_URL: `mqtt://${listen}`,
        SERIALCAST_DISCOVER: "off",
        SERIALCAST_JOURNAL_DIR: journal.path,
      },
    }),
    devices: { pty: deviceAt(pty.path) },
  }
  const agent = await createSerialAgent(config, createDeps())
  const client = await createDeviceClient(
    connectToBroker(config, createDeps(), { name: "reader" }),
    createDeps(),
  )
  await eventually(() => expect(client.devices.get("local/pty")?.online).toBe(true))
  pty.releaseSlave()

  const sent = countingBytes(0, 3 * 1024 * 1024)
  const leaving = new AbortController()
  let received = 0
  const reading = (async () => {
    for await (const event of client
      .device("local/pty")
      .read({ from: { kind: "start" }, signal: leaving.signal })) {
      expect(event.kind).not.toBe("gap")
      if (event.kind !== "bytes") continue
      expect(event.offset).toBe(received)
      expect(checkCounting(event.bytes, event.offset)).toBeUndefined()
      received += event.bytes.byteLength
      if (received === sent.byteLength) leaving.abort()
    }
  })()
  const third = sent.byteLength / 3
  await pty.write(sent.subarray(0, third))
  await first.stop()
  await pty.write(sent.subarray(third, 2 * third))
  const again = await createBroker(
    loadConfig({ env: { ...free, SERIALCAST_BROKER_LISTEN: listen } }),
    createDeps(),
  )
  await pty.write(sent.subarray(2 * third))
  await reading
  expect(received).toBe(sent.byteLength)

  await client.close()
  await agent.stop()
  await again.stop()
})
