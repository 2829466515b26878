import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { GenericContainer, Wait } from "testcontainers"

const folder = fileURLToPath(new URL("../brokers", import.meta.url))
const mqttPort = 1883
// The first build installs the broker.
const startTimeoutMs = 60_000

/**
 * Other people's brokers: the folders of `e2e/brokers`. Each has a Dockerfile whose image speaks MQTT 3.1.1 at port 1883 to
 * everyone who comes.
 */
export const foreignBrokers: readonly string[] = readdirSync(folder)

export interface ForeignBroker extends AsyncDisposable {
  /** Its port on this machine, at 127.0.0.1. */
  readonly port: number
}

/** Builds the image of one of `foreignBrokers`, and starts it in a container of its own; disposing removes that again. */
export async function startBroker(name: string): Promise<ForeignBroker> {
  // Kept, as the next build is then done at once.
  const image = await GenericContainer.fromDockerfile(`${folder}/${name}`).build(`serialcast-e2e-${name}`, {
    deleteOnExit: false,
  })
  const container = await image
    .withExposedPorts(mqttPort)
    .withWaitStrategy(Wait.forListeningPorts())
    .withStartupTimeout(startTimeoutMs)
    .start()
  return {
    port: container.getMappedPort(mqttPort),
    async [Symbol.asyncDispose]() {
      await container.stop()
    },
  }
}
