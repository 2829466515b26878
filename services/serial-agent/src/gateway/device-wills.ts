import type { BrokerClient } from "@serialcast/broker-client"

export interface DeviceWillsDeps {
  /** A connection, not started yet, whose will says that this device is offline. */
  readonly connect: (device: string) => BrokerClient
}

/**
 * Keeps a connection for each device, for the sake of its will: MQTT gives a connection one, and that of the agent's is for the
 * gateway. Nothing is sent on them. They stand while the gateway's name is held, so that no will speaks for another agent's
 * devices.
 */
export class DeviceWills {
  readonly #deps: DeviceWillsDeps
  readonly #held = new Map<string, BrokerClient>()

  constructor(deps: DeviceWillsDeps) {
    this.#deps = deps
  }

  /** For these devices, and no others. */
  hold(devices: readonly string[]): void {
    for (const device of this.#held.keys()) if (!devices.includes(device)) void this.#drop(device)
    for (const device of devices) {
      if (this.#held.has(device)) continue
      const connection = this.#deps.connect(device)
      this.#held.set(device, connection)
      connection.start()
    }
  }

  /** Ends them in an orderly way: no will is published. Takes 2 s at most. */
  async stop(): Promise<void> {
    await Promise.all([...this.#held.keys()].map((device) => this.#drop(device)))
  }

  async #drop(device: string): Promise<void> {
    const connection = this.#held.get(device)
    this.#held.delete(device)
    await connection?.close()
  }
}
