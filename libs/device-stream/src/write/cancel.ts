import type { BrokerClient } from "@serialcast/broker-client"
import { type CancelRequest, type DeviceAddress, parseCancelled } from "@serialcast/contract"
import { callDevice } from "../device-call.ts"

const replyMs = 10_000

/** Takes a write back; its own outcome tells what came of it. Answers whether it was not over. */
export async function cancelWrite(
  broker: BrokerClient,
  address: DeviceAddress,
  { by, write }: { readonly by: string; readonly write: string },
): Promise<boolean> {
  const request: CancelRequest = { id: crypto.randomUUID(), by, write }
  return parseCancelled(await callDevice({ broker, verb: "cancel", address, request, timeoutMs: replyMs }))
}
