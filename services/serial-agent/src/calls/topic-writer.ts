import { randomUUID } from "node:crypto"
import type { Message } from "@serialcast/broker-client"
import { type ErrorCode, type Topics, toAppError } from "@serialcast/contract"
import type { Logger } from "@serialcast/service-kit"
import type { ManagedDevice } from "../device/device.ts"

export interface TopicWriterDeps {
  readonly topics: Topics
  readonly log: Pick<Logger, "debug" | "warn">
  readonly findDevice: (name: string) => Pick<ManagedDevice, "writes"> | undefined
}

// Anyone may publish to names that no device has: beyond this many, their refusals are told in the debug log only.
const maxWarned = 256

/** Writes what is published on `tx` topics. Nobody waits for the outcome: a refusal is a mark in the `tx` stream. */
export function createTopicWriter({ topics, log, findDevice }: TopicWriterDeps): (message: Message) => void {
  /** Devices whose refusals were told since the last write that went well: whoever publishes may do so for ever. */
  const warned = new Set<string>()
  return ({ topic, payload, retained }) => {
    const parsed = topics.parse(topic)
    // A retained write would be repeated at every reconnect.
    if (parsed?.kind !== "tx" || retained) return
    const { device: name } = parsed
    const device = findDevice(name)
    if (device === undefined) return tellRefusal(name, "unknown_device")
    device.writes.submit({ id: randomUUID(), by: "mqtt", bytes: payload }).then(
      () => void warned.delete(name),
      (error: unknown) => tellRefusal(name, toAppError(error).code),
    )
  }

  function tellRefusal(device: string, code: ErrorCode): void {
    const isNew = !warned.has(device) && warned.size < maxWarned
    if (isNew) warned.add(device)
    log[isNew ? "warn" : "debug"]({ device, code }, "a write by topic was refused")
  }
}
