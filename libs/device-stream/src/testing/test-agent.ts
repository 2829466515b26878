import {
  type BrokerClient,
  type BrokerLog,
  createBrokerClient,
  type Message,
} from "@serialcast/broker-client"
import {
  AppError,
  createTopics,
  type DeviceState,
  decodeCall,
  encodeErrorReply,
  encodeReply,
  encodeStreamMessage,
  type GatewayStatus,
  pageToWire,
  type ReplyAddress,
  type StreamRecord,
  toAppError,
  type WriteRequest,
} from "@serialcast/contract"
import { type Clock, concatBytes, systemClock } from "@serialcast/primitives"
import { createDeviceState, type MemoryBroker } from "@serialcast/testkit"
import { ModelJournal } from "./model-journal.ts"

export const testTopics = createTopics()
export const testAddress = { gateway: "local", device: "uno" }
export const testState = createDeviceState({ ...testAddress, open: 3 })
export const testStatus = {
  online: true,
  instance: "1",
  version: "0.1.0",
  started: "2030-01-01T00:00:00Z",
  devices: ["uno"],
} satisfies GatewayStatus

export function createTestLog(): BrokerLog & { readonly warnings: string[] } {
  const warnings: string[] = []
  return { warnings, debug: () => {}, info: () => {}, warn: (_, message) => warnings.push(message) }
}

/** A client of `broker`, not started. For tests. */
export function createTestClient(
  broker: MemoryBroker,
  clientId: string,
  clock: Clock = systemClock,
): BrokerClient {
  const openStream = () => broker.connect()
  return createBrokerClient(
    { clientId, topics: testTopics, openStream, credentials: null },
    { clock, log: createTestLog() },
  )
}

/** The agent of one device, with a model journal of its `rx` stream. For tests. */
export class TestAgent {
  readonly journal = new ModelJournal(testState.epoch)
  /** Ids and start points of the history calls that came in. */
  readonly historyCalls: { readonly id: string; readonly from: string }[] = []
  readonly writeCalls: WriteRequest[] = []
  /** All other calls. */
  readonly otherCalls: { readonly verb: string; readonly request: Record<string, unknown> }[] = []
  /** Calls are heard but not answered. */
  isSilent = false
  /** What becomes of a write call; it answers with a receipt when the write is whole, and for each part. */
  onWrite: (write: WriteRequest) => void = () => {}
  /** Answers the other calls with a reply's body; null: not at all. */
  onCall: (verb: string, request: Record<string, unknown>) => object | null = () => ({})
  readonly #client: BrokerClient
  #timeUs = 0

  constructor(client: BrokerClient) {
    this.#client = client
  }

  async start(): Promise<void> {
    await this.#client.subscribe(testTopics.filter("call"), (message) => this.#answer(message))
    this.#client.start()
    await this.connected()
    await this.publishStatus(testStatus)
    await this.publishState({})
  }

  async connected(): Promise<void> {
    await new Promise<void>((resolve) => this.#client.onConnected(resolve))
  }

  async publishStatus(status: GatewayStatus, gateway = "local"): Promise<void> {
    await this.#client.publish(testTopics.status(gateway), Buffer.from(JSON.stringify(status)))
  }

  async publishState(change: Partial<DeviceState>): Promise<void> {
    const state = { ...testState, ...change }
    await this.#client.publish(testTopics.device("state", state), Buffer.from(JSON.stringify(state)))
  }

  /** What the device sends; `isLost`: its live message is. */
  async send(text: string, { isLost = false } = {}): Promise<void> {
    const record = this.journal.append(++this.#timeUs, Buffer.from(text))
    if (!isLost) await this.publishRecord(record)
  }

  async publishRecord(record: StreamRecord): Promise<void> {
    const { epoch } = this.journal
    await this.publishStream(encodeStreamMessage({ epoch, stream: "rx", record }))
  }

  async publishStream(payload: Uint8Array): Promise<void> {
    await this.#client.publish(testTopics.device("stream", testAddress), payload)
  }

  async reply(client: string, payload: Uint8Array): Promise<void> {
    await this.#client.publish(testTopics.reply(client), payload)
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  #answer({ topic, payload }: Message): void {
    const parsed = testTopics.parse(topic)
    if (parsed?.kind !== "call") return
    const call = decodeCall(payload).call as WriteRequest & { from: string }
    const send = (reply: Uint8Array) => void this.reply(parsed.client, reply)
    try {
      if (parsed.verb === "history") this.#answerHistory(call, send)
      else if (parsed.verb === "write") this.#answerWrite(call, send)
      else this.#answerOther(parsed.verb, { ...call }, send)
    } catch (error) {
      send(encodeErrorReply(addressOf(call), toAppError(error), "cbor"))
    }
  }

  #answerHistory({ id, from }: { id: string; from: string }, send: (reply: Uint8Array) => void): void {
    this.historyCalls.push({ id, from })
    if (this.isSilent) return
    if (from === "garbage") throw new AppError("bad_cursor", "No.")
    send(encodeReply({ id }, { page: pageToWire(this.journal.page(from, 10)) }, "cbor"))
  }

  #answerWrite(write: WriteRequest, send: (reply: Uint8Array) => void): void {
    this.writeCalls.push(write)
    if (this.isSilent) return
    this.onWrite(write)
    const { id, part } = write
    if (part !== undefined) send(encodeReply({ id, part }, {}, "cbor"))
    const whole = this.written(id)
    if (whole === null) return
    const receipt = {
      bytes: whole.byteLength,
      from: `${testState.epoch}-0`,
      to: `${testState.epoch}-1`,
      drainedUs: 1,
    }
    send(encodeReply({ id }, { receipt }, "cbor"))
  }

  #answerOther(
    verb: string,
    request: Record<string, unknown> & { id: string },
    send: (reply: Uint8Array) => void,
  ): void {
    this.otherCalls.push({ verb, request })
    if (this.isSilent) return
    const body = this.onCall(verb, request)
    if (body !== null) send(encodeReply({ id: request.id }, body, "cbor"))
  }

  /** The bytes of a write, when all its parts are here. */
  written(id: string): Uint8Array | null {
    const parts = new Map(
      this.writeCalls.filter((write) => write.id === id).map((write) => [write.part ?? 0, write]),
    )
    const wanted = Array.from(
      { length: parts.values().next().value?.parts ?? 1 },
      (_, part) => parts.get(part)?.bytes,
    )
    const present = wanted.filter((bytes) => bytes !== undefined)
    return present.length === wanted.length ? concatBytes(present) : null
  }
}

function addressOf({ id, part }: WriteRequest): ReplyAddress {
  return part === undefined ? { id } : { id, part }
}
