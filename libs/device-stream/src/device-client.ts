import type { BrokerClient, BrokerLog } from "@serialcast/broker-client"
import {
  AppError,
  type DeviceState,
  encodeCall,
  parseAddress,
  type Receipt,
  type StartPoint,
  type StreamName,
} from "@serialcast/contract"
import { type Clock, delay } from "@serialcast/primitives"
import { type DeviceDirectory, Directory } from "./directory.ts"
import { Feeds } from "./feed.ts"
import { readStream } from "./reader.ts"
import type { StreamEvent } from "./stream-event.ts"
import { type WriteOptions, writeDevice } from "./writer.ts"

const quietMs = 100

export interface ReadOptions {
  /** Default: `now`. */
  readonly from?: StartPoint | undefined
  /** Default: `rx`. */
  readonly stream?: StreamName | undefined
  /** Ends the reading. */
  readonly signal: AbortSignal
}

export interface Device {
  /**
   * Every byte of a stream from a start point on, in order, or a gap. Goes on over reconnects, replugs and restarts
   * until `signal` is aborted. Pull-based: a reader that waits costs no memory and delays nobody. The first event,
   * `positioned`, comes within 1 s, whether the agent is there or not. Throws `unknown_device`; `unauthorized` when the
   * broker refuses the stream and `bad_cursor` when the agent refuses the cursor, which are before the first event unless
   * the agent was away then; `bad_message` or `unsupported` when the agent does not keep the contract.
   */
  read(options: ReadOptions): AsyncIterable<StreamEvent>
  /** Writes `bytes` whole and un-interleaved; resolves when they are drained to the port. Throws as `writeDevice`. */
  write(bytes: Uint8Array, options: WriteOptions): Promise<Receipt>
}

/** One process's access to all devices of a broker. */
export interface DeviceClient {
  readonly devices: DeviceDirectory
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
  const feeds = new Feeds(broker, log)
  await directory.start()
  broker.start()
  const need = (address: string): DeviceState => {
    const state = directory.get(address)
    if (state === undefined)
      throw new AppError("unknown_device", `There is no device ${JSON.stringify(address)}.`)
    return state
  }
  return {
    devices: directory,
    get isConnected() {
      return broker.isConnected
    },
    device: (address) => ({
      async *read({ from = { kind: "now" }, stream = "rx", signal }) {
        need(address)
        const parsed = parseAddress(address)
        const feed = feeds.acquire(parsed)
        try {
          const isAway = !directory.hasAgent(address)
          yield* readStream({ feed, stream, from, signal, clock, isAway })
        } finally {
          feeds.release(parsed)
        }
      },
      async write(bytes, options) {
        return await writeDevice(broker, need(address), bytes, options)
      },
    }),
    async whenReady(timeoutMs) {
      const deadlineMs = clock.nowMs() + timeoutMs
      const id = crypto.randomUUID()
      const destination = broker.topics.reply(broker.clientId)
      await broker.request({ id, destination, payload: encodeCall({ id, ok: true }), timeoutMs })
      await untilQuiet(directory, { clock, deadlineMs })
    },
    async close() {
      directory.stop()
      await broker.close()
    },
  }
}

/** Brokers may send what they kept behind newer messages (aedes does), so that only its end tells that it was all. */
async function untilQuiet(
  directory: DeviceDirectory,
  { clock, deadlineMs }: { clock: Clock; deadlineMs: number },
): Promise<void> {
  let isQuiet = false
  const forget = directory.onChange(() => {
    isQuiet = false
  })
  while (!isQuiet && clock.nowMs() < deadlineMs) {
    isQuiet = true
    await delay(clock, quietMs)
  }
  forget()
}
