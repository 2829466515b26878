import type { BrokerClient, Message } from "@serialcast/broker-client"
import {
  AppError,
  checkCall,
  decodeCall,
  encodeErrorReply,
  encodeReply,
  historyRequestSchema,
  maxChunkBytes,
  maxPayloadBytes,
  type PayloadFormat,
  pageToWire,
  parseStartPoint,
  type Receipt,
  type ReplyAddress,
  receiptToWire,
  toAppError,
  type WriteRequest,
  writeRequestSchema,
} from "@serialcast/contract"
import type { Logger } from "@serialcast/service-kit"
import type { ManagedDevice } from "../device/device.ts"
import type { Devices } from "../device/devices.ts"
import type { Journal } from "../journal/journal.ts"

export interface CallServerDeps {
  readonly broker: Pick<BrokerClient, "publish" | "topics">
  readonly log: Logger
  readonly devices: Pick<Devices, "find" | "findJournal">
}

// JSON spells bytes in hex, two characters each, and a reply is at most `maxPayloadBytes`.
const maxJsonPageBytes = maxChunkBytes / 2
const openingBrace = 0x7b

/** One call on its way through: what it asks of which device, for whom, and how it is answered. */
interface Call {
  /** Absent when the device is only shown. */
  readonly device: ManagedDevice | undefined
  readonly journal: Journal
  readonly client: string
  readonly request: unknown
  readonly format: PayloadFormat
  readonly send: (encoded: Uint8Array) => void
  /** Writes whose outcome somebody will be told: a repeat of the call does not add another answer. */
  readonly awaited: Set<Promise<Receipt>>
}

/** Answers the calls to this gateway's devices. */
export function createCallHandler({ broker, log, devices }: CallServerDeps): (message: Message) => void {
  const awaited = new Set<Promise<Receipt>>()
  return (message) => {
    const topic = broker.topics.parse(message.topic)
    // A call that the broker kept was meant for another time.
    if (topic?.kind !== "call" || message.retained) return
    void answer(message.payload, topic)
  }

  async function answer(
    payload: Uint8Array,
    { device: name, verb, client }: { device: string; verb: string; client: string },
  ): Promise<void> {
    const format: PayloadFormat = payload[0] === openingBrace ? "json" : "cbor"
    let address = addressIn(payload, format)
    const send = (encoded: Uint8Array) => {
      // A reply that is lost is asked for again.
      broker.publish(broker.topics.reply(client), encoded).catch((error: unknown) => {
        log.debug({ reason: String(error) }, "reply not sent")
      })
    }
    try {
      const { call: request } = decodeCall(payload)
      address = addressOf(request)
      const journal = devices.findJournal(name)
      if (journal === undefined) throw new AppError("unknown_device", `This gateway has no device ${name}.`)
      await answerVerb(verb, { device: devices.find(name), journal, client, request, format, send, awaited })
    } catch (error) {
      const known = toAppError(error)
      if (known.code === "internal") log.error({ err: error, verb }, "call failed")
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

async function answerWrite({ device, client, request, format, send, awaited }: Call): Promise<void> {
  const write = checkCall(writeRequestSchema, request)
  const { id, part } = write
  const outcome = submit(device, `${client}/${id}`, write)
  if (part !== undefined) send(encodeReply({ id, part }, {}, format))
  if (outcome === null || awaited.has(outcome)) return
  awaited.add(outcome)
  try {
    send(encodeReply({ id }, { receipt: receiptToWire(await outcome) }, format))
  } catch (error) {
    send(encodeErrorReply({ id }, toAppError(error), format))
  } finally {
    awaited.delete(outcome)
  }
}

/** null while parts are missing. `key` has the client in it: ids are the callers' own. */
function submit(
  device: ManagedDevice | undefined,
  key: string,
  write: WriteRequest,
): Promise<Receipt> | null {
  if (device === undefined) throw new AppError("device_offline", "This device is shown, but not opened.")
  const known = device.writes.find(key)
  if (known !== undefined) return known
  const bytes = device.parts.add(key, write)
  return bytes === null ? null : device.writes.submit({ ...write, key, bytes })
}

function answerHistory({ journal, request, format, send }: Call): void {
  const { id, stream, from, maxBytes } = checkCall(historyRequestSchema, request)
  const start = parseStartPoint(from)
  const encodePage = (pageBytes: number) =>
    encodeReply({ id }, { page: pageToWire(journal.page(stream, start, pageBytes)) }, format)
  let limit = format === "json" ? Math.min(maxBytes, maxJsonPageBytes) : maxBytes
  let encoded = encodePage(limit)
  // The limit counts device bytes; marks with long names in them may take more on the wire than is left for them.
  while (encoded.byteLength > maxPayloadBytes && limit > 1) {
    limit = Math.floor(limit / 2)
    encoded = encodePage(limit)
  }
  send(encoded)
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
