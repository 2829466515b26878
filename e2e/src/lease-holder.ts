// A program of its own, because it is stopped: `node lease-holder.js <broker url> <device> <ttl ms>`. Takes the lease,
// then writes `H` again and again with its token, whatever it is told, as a program does that does not know its time.
import { AppError } from "@serialcast/contract"
import { createDeviceClient } from "@serialcast/device-stream"
import { delay, systemClock } from "@serialcast/primitives"
import { connectToBroker, createLogger, createMetrics, loadConfig } from "@serialcast/service-kit"

const everyMs = 5
const [url = "", address = "", ttlMs = ""] = process.argv.slice(2)
const config = loadConfig({ env: { SERIALCAST_BROKER_URL: url }, directory: "/nonexistent" })
const log = createLogger({ name: "lease-holder", level: "silent" })
const deps = { log, clock: systemClock, metrics: createMetrics(), token: null }
const client = await createDeviceClient(connectToBroker(config, deps, { name: "holder" }), deps)
await client.whenReady(5_000)
const device = client.device(address)
const { fence } = await device.acquireLease({ by: "holder", ttlMs: Number(ttlMs) })
process.stdout.write("leased\n")
for (;;) {
  device.write(Uint8Array.of("H".charCodeAt(0)), { by: "holder", lease: fence }).then(
    () => process.stdout.write("written\n"),
    (error: unknown) => process.stdout.write(`${error instanceof AppError ? error.code : String(error)}\n`),
  )
  await delay(systemClock, everyMs)
}
