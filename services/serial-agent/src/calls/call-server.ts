import type { BrokerClient, Message } from "@serialcast/broker-client"
import {
  AppError,
  CallParcel,
  type CallVerb,
  callVerbs,
  decodeCall,
  encodeErrorReply,
  maxCallBytes,
  type Payload,
  type PayloadFormat,
  type ReplyAddress,
  toAppError,
} from "@serialcast/contract"
import type { Logger } from "@serialcast/service-kit"
import type { Devices } from "../device/devices.ts"
import { answerCancel } from "./answer-cancel.ts"
import { answerConfigure } from "./answer-configure.ts"
import { createAnswerHistory } from "./answer-history.ts"
import { answerLease } from "./answer-lease.ts"
import { answerLines } from "./answer-lines.ts"
import { answerPurge } from "./answer-purge.ts"
import { answerRelease } from "./answer-release.ts"
import { answerSignal } from "./answer-signal.ts"
import { createAnswerWrite } from "./answer-write.ts"
import type { AnswerCall } from "./call.ts"

export interface CallServerDeps {
  readonly broker: Pick<BrokerClient, "publish" | "topics">
  readonly log: Logger
  readonly devices: Pick<Devices, "find" | "findJournal">
}

const openingBrace = 0x7b
// As `callId` has it, in characters: what is longer is no call's id, and is not repeated.
const maxIdLength = 64
// Each waits for a port or a disk, all of which are bounded, and holds its request.
const maxInProgress = 16_384

/** Answers the calls to this gateway's devices. */
export function createCallHandler({ broker, log, devices }: CallServerDeps): (message: Message) => void {
  const answers = createAnswers()
  /** Calls that are being answered: a repeat of one waits for the same answer. */
  const inProgress = new Set<string>()
  return (message) => {
    const topic = broker.topics.parse(message.topic)
    // A call that the broker kept was meant for another time.
    if (topic?.kind !== "call" || message.retained) return
    void answer(message, topic)
  }

  async function answer(
    message: Message,
    { device: name, verb, client }: { device: string; verb: string; client: string },
  ): Promise<void> {
    const { parcel } = message
    const isHanded = parcel instanceof CallParcel
    const format: PayloadFormat = !isHanded && message.payload[0] === openingBrace ? "json" : "cbor"
    let address = isHanded
      ? addressOf(parcel.call)
      : addressIn(message.payload.subarray(0, maxCallBytes + 1), format)
    const send = (reply: Payload) => {
      // A reply that is lost is asked for again.
      broker.publish(broker.topics.reply(client), reply).catch((error: unknown) => {
        log.debug({ reason: String(error) }, "reply not sent")
      })
    }
    try {
      const request = isHanded ? parcel.call : decodeCall(checkSize(message.payload)).call
      address = addressOf(request)
      const journal = devices.findJournal(name)
      if (journal === undefined) throw new AppError("unknown_device", `This gateway has no device ${name}.`)
      const answerCall = isCallVerb(verb) ? answers[verb] : answerUnsupported
      const isChecked = isHanded && parcel.isChecked
      const call = { device: devices.find(name), journal, client, request, isHanded, isChecked, format, send }
      // Each part of a write is a call with the same id, and it knows itself who waits for its outcome.
      if (verb === "write" || address.id === "") await answerCall(call)
      else await unlessRepeated(`${name} ${verb} ${client}/${address.id}`, () => answerCall(call))
    } catch (error) {
      const known = toAppError(error)
      if (known.code === "internal") log.error({ err: error, verb }, "call failed")
      send(encodeErrorReply(address, known, format))
    }
  }

  async function unlessRepeated(key: string, work: () => Promise<void>): Promise<void> {
    if (inProgress.has(key)) return
    if (inProgress.size >= maxInProgress)
      throw new AppError("overloaded", `${maxInProgress} calls are being answered already.`)
    inProgress.add(key)
    try {
      await work()
    } finally {
      inProgress.delete(key)
    }
  }
}

function createAnswers(): Readonly<Record<CallVerb, AnswerCall>> {
  return {
    write: createAnswerWrite(),
    cancel: answerCancel,
    history: createAnswerHistory(),
    search: answerUnsupported,
    configure: answerConfigure,
    signal: answerSignal,
    lines: answerLines,
    purge: answerPurge,
    lease: answerLease,
    release: answerRelease,
  }
}

function isCallVerb(verb: string): verb is CallVerb {
  // The list's type would not let it be asked for any other text.
  return (callVerbs as readonly string[]).includes(verb)
}

async function answerUnsupported(): Promise<void> {
  throw new AppError("unsupported", "This agent does not answer calls of this kind.")
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

/** Throws `too_large` for what is longer than any call. */
function checkSize(payload: Uint8Array): Uint8Array {
  if (payload.byteLength <= maxCallBytes) return payload
  throw new AppError("too_large", `A call has at most ${maxCallBytes} bytes, found ${payload.byteLength}.`)
}

/** What can be told of the caller's id before the request is checked. */
function addressOf(call: unknown): ReplyAddress {
  if (typeof call !== "object" || call === null || !("id" in call) || typeof call.id !== "string")
    return { id: "" }
  const { id } = call
  if (id.length > maxIdLength) return { id: "" }
  return "part" in call && typeof call.part === "number" ? { id, part: call.part } : { id }
}
