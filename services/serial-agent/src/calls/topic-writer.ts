import { randomUUID } from "node:crypto"
import type { Message } from "@serialcast/broker-client"
import { type Topics, toAppError } from "@serialcast/contract"
import type { Logger } from "@serialcast/service-kit"
import type { ManagedDevice } from "../device/device.ts"

export interface TopicWriterDeps {
  readonly topics: Topics
  readonly log: Logger
  readonly findDevice: (name: string) => ManagedDevice | undefined
}

/** Writes what is published on `tx` topics. Nobody waits for the outcome: a refusal is a mark in the `tx` stream. */
export function createTopicWriter({ topics, log, findDevice }: TopicWriterDeps): (message: Message) => void {
  return ({ topic, payload, retained }) => {
    const parsed = topics.parse(topic)
    // A retained write would be repeated at every reconnect.
    if (parsed?.kind !== "tx" || retained) return
    const device = findDevice(parsed.device)
    if (device === undefined) {
      log.warn({ device: parsed.device, code: "unknown_device" }, "a write by topic was refused")
      return
    }
    const write = device.writes.submit({ id: randomUUID(), by: "mqtt", bytes: payload })
    write.catch((error: unknown) => {
      log.warn({ device: parsed.device, code: toAppError(error).code }, "a write by topic was refused")
    })
  }
}
