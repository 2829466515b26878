import type { BrokerClient, BrokerLog } from "@serialcast/broker-client"
import { encodeCall } from "@serialcast/contract"
import { after, type Clock, delay, type MonotonicMs, msUntil } from "@serialcast/primitives"
import { createDevice, type Device } from "./device.ts"
import { type DeviceDirectory, Directory } from "./directory/directory.ts"
import { type TunnelDirectory, Tunnels } from "./directory/tunnel-directory.ts"
import { Feeds } from "./read/feed.ts"
import { Histories } from "./read/histories.ts"

const quietMs = 100

/** One process's access to all devices of a broker. */
export interface DeviceClient {
  readonly devices: DeviceDirectory
  /** What the tunnel services say of themselves. */
  readonly tunnels: TunnelDirectory
  readonly isConnected: boolean
  /**
   * Resolves when the states that the broker keeps have arrived, as far as that can be told: the broker answered and no
   * more come. Throws `no_reply` or `broker_offline` when it did not answer within `timeoutMs`.
   */
  whenReady(timeoutMs: number): Promise<void>
  /** `<gateway>/<device>` */
  device(address: string): Device
  close(): Promise<void>
}

export interface DeviceClientDeps {
  readonly clock: Clock
  readonly log: BrokerLog
}

/** Takes over `broker`: starts it, and closes it when closed. */
export async function createDeviceClient(
  broker: BrokerClient,
  { clock, log }: DeviceClientDeps,
): Promise<DeviceClient> {
  const directory = new Directory(broker, log)
  const tunnels = new Tunnels(broker, log)
  const histories = new Histories(broker)
  const feeds = new Feeds({ broker, histories, clock, log })
  directory.onAgent((gateway) => {
    // What was asked of one that was killed is not heard by the next: without this it would wait for its next sending.
    broker.sendAgain(({ topic }) => {
      const parsed = broker.topics.parse(topic)
      return parsed?.kind === "call" && parsed.gateway === gateway
    })
    feeds.tellAgentBack(gateway)
  })
  await directory.start()
  await tunnels.start()
  broker.start()
  return {
    devices: directory,
    tunnels,
    get isConnected() {
      return broker.isConnected
    },
    device: (address) => createDevice(address, { broker, directory, feeds, histories, clock, log }),
    async whenReady(timeoutMs) {
      const deadlineMs = after(clock.monotonicMs(), timeoutMs)
      const id = crypto.randomUUID()
      const destination = broker.topics.reply(broker.clientId)
      await broker.request({ id, destination, payload: encodeCall({ id, ok: true }), timeoutMs })
      await untilQuiet(directory, { clock, deadlineMs })
    },
    async close() {
      directory.stop()
      tunnels.stop()
      await broker.close()
    },
  }
}

/** Brokers may send what they kept behind newer messages (aedes does), so that only its end tells that it was all. */
async function untilQuiet(
  directory: DeviceDirectory,
  { clock, deadlineMs }: { clock: Clock; deadlineMs: MonotonicMs },
): Promise<void> {
  let isQuiet = false
  const forget = directory.onChange(() => {
    isQuiet = false
  })
  while (!isQuiet && msUntil(clock, deadlineMs) > 0) {
    isQuiet = true
    await delay(clock, quietMs)
  }
  forget()
}
