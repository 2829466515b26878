import type { BrokerClient, Message } from "@serialcast/broker-client"
import {
  AppError,
  checkCall,
  decodeCall,
  encodeErrorReply,
  encodeReply,
  historyRequestSchema,
  maxChunkBytes,
  type PayloadFormat,
  pageToWire,
  parseStartPoint,
  type ReplyAddress,
  receiptToWire,
  toAppError,
  writeRequestSchema,
} from "@serialcast/contract"
import type { Logger } from "@serialcast/service-kit"
import type { ManagedDevice } from "../device/device.ts"

export interface CallServerDeps {
  readonly broker: BrokerClient
  readonly log: Logger
  readonly findDevice: (name: string) => ManagedDevice | undefined
}

type Body = Readonly<Record<string, unknown>>

// JSON spells bytes in hex, two characters each, and a reply is at most `maxPayloadBytes`.
const maxJsonPageBytes = maxChunkBytes / 2
const openingBrace = 0x7b

/** One call on its way through: where it came from, and how it is answered. */
interface Call {
  readonly device: ManagedDevice
  readonly request: unknown
  readonly format: PayloadFormat
  readonly reply: (address: ReplyAddress, body: Body) => void
  readonly refuse: (address: ReplyAddress, error: AppError) => void
}

/** Answers the calls to this gateway's devices. */
export function createCallHandler({ broker, log, findDevice }: CallServerDeps): (message: Message) => void {
  return (message) => {
    const topic = broker.topics.parse(message.topic)
    // A call that the broker kept was meant for another time.
    if (topic?.kind !== "call" || message.retained) return
    void answer(message.payload, topic)
  }

  async function answer(
    payload: Uint8Array,
    topic: { device: string; verb: string; client: string },
  ): Promise<void> {
    const format: PayloadFormat = payload[0] === openingBrace ? "json" : "cbor"
    let address = addressIn(payload, format)
    const send = (encoded: Uint8Array) => {
      // A reply that is lost is asked for again.
      broker.publish(broker.topics.reply(topic.client), encoded).catch((error: unknown) => {
        log.debug({ reason: String(error) }, "reply not sent")
      })
    }
    try {
      const { call } = decodeCall(payload)
      address = addressOf(call)
      const device = findDevice(topic.device)
      if (device === undefined)
        throw new AppError("unknown_device", `This gateway has no device ${topic.device}.`)
      const reply = (to: ReplyAddress, body: Body) => send(encodeReply(to, body, format))
      const refuse = (to: ReplyAddress, error: AppError) => send(encodeErrorReply(to, error, format))
      await answerVerb(topic.verb, { device, request: call, format, reply, refuse })
    } catch (error) {
      const known = toAppError(error)
      if (known.code === "internal") log.error({ err: error, verb: topic.verb }, "call failed")
      send(encodeErrorReply(address, known, format))
    }
  }
}

async function answerVerb(verb: string, call: Call): Promise<void> {
  switch (verb) {
    case "write":
      return await answerWrite(call)
    case "history":
      return answerHistory(call)
    default:
      throw new AppError("unsupported", `This agent does not answer ${verb} calls.`)
  }
}

async function answerWrite({ device, request, reply, refuse }: Call): Promise<void> {
  const write = checkCall(writeRequestSchema, request)
  const { id, part } = write
  const known = device.writes.find(id)
  let outcome = known
  if (known === undefined) {
    const bytes = device.parts.add(write)
    if (bytes !== null) outcome = device.writes.submit({ ...write, bytes })
  }
  if (part !== undefined) reply({ id, part }, {})
  if (outcome === undefined) return
  try {
    reply({ id }, { receipt: receiptToWire(await outcome) })
  } catch (error) {
    refuse({ id }, toAppError(error))
  }
}

function answerHistory({ device, request, format, reply }: Call): void {
  const { id, stream, from, maxBytes } = checkCall(historyRequestSchema, request)
  const limit = format === "json" ? Math.min(maxBytes, maxJsonPageBytes) : maxBytes
  reply({ id }, { page: pageToWire(device.journal.page(stream, parseStartPoint(from), limit)) })
}

/** Bytes that are spelled wrong make a call undecodable, but not nameless: its refusal is to find the caller. */
function addressIn(payload: Uint8Array, format: PayloadFormat): ReplyAddress {
  if (format === "cbor") return { id: "" }
  try {
    return addressOf(JSON.parse(new TextDecoder().decode(payload)))
  } catch {
    // Not JSON: there is no id to find, and decoding it says so to the caller.
    return { id: "" }
  }
}

/** What can be told of the caller's id before the request is checked. */
function addressOf(call: unknown): ReplyAddress {
  if (typeof call !== "object" || call === null || !("id" in call) || typeof call.id !== "string")
    return { id: "" }
  const { id } = call
  return "part" in call && typeof call.part === "number" ? { id, part: call.part } : { id }
}
