import type { BrokerClient } from "@serialcast/broker-client"
import { AppError, type CallVerb, type DeviceAddress, encodeCall, isErrorCode } from "@serialcast/contract"

export interface DeviceCall {
  readonly broker: BrokerClient
  readonly verb: CallVerb
  readonly address: DeviceAddress
  readonly request: { readonly id: string; readonly part?: number | undefined }
  readonly timeoutMs: number
  /** The reply answers the whole write, of which `request` is the last part. */
  readonly isWhole?: boolean
  readonly signal?: AbortSignal | undefined
}

/** Calls a device's agent and answers the reply's body; a refusal is thrown with the agent's code. */
export async function callDevice(call: DeviceCall): Promise<Record<string, unknown>> {
  const { broker, verb, address, request, timeoutMs, isWhole = false, signal } = call
  const reply = await broker.request({
    id: request.id,
    part: isWhole ? undefined : request.part,
    destination: broker.topics.call(verb, address, broker.clientId),
    payload: encodeCall(request),
    timeoutMs,
    signal,
  })
  if ("reply" in reply) return reply.reply
  const { code, message } = reply.error
  throw new AppError(isErrorCode(code) ? code : "internal", message)
}
