import type { Duplex } from "node:stream"
import { createTopics, toAppError } from "@serialcast/contract"
import { systemClock } from "@serialcast/primitives"
import type { BrokerClient, BrokerClientDeps, BrokerClientOptions } from "../client.ts"
import { createBrokerClient } from "../create-broker-client.ts"

export const testTopics = createTopics()

/** A log that keeps its lines, each with its level in front. For tests. */
export function createTestLog(): BrokerClientDeps["log"] & { readonly lines: string[] } {
  const lines: string[] = []
  const write = (level: string) => (fields: object, message: string) => {
    lines.push(`${level} ${message} ${JSON.stringify(fields)}`)
  }
  return { lines, debug: write("debug"), info: write("info"), warn: write("warn") }
}

/** A client that is not started. For tests. */
export function createTestClient(
  openStream: () => Duplex,
  options: Partial<BrokerClientOptions> = {},
  deps: Partial<BrokerClientDeps> = {},
): BrokerClient {
  return createBrokerClient(
    { clientId: "test", topics: testTopics, openStream, credentials: null, ...options },
    { clock: systemClock, log: createTestLog(), ...deps },
  )
}

/** Starts `client` and resolves when it is connected. For tests. */
export async function startClient(client: BrokerClient): Promise<BrokerClient> {
  client.start()
  await nextConnect(client)
  return client
}

/** Resolves when `client` is connected, at once if it is. For tests. */
export async function nextConnect(client: BrokerClient): Promise<void> {
  let forget = () => {}
  await new Promise<void>((resolve) => {
    forget = client.onConnected(resolve)
  })
  forget()
}

/** The code that `work` fails with; undefined when it does not. For tests. */
export async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    return toAppError(error).code
  }
}
