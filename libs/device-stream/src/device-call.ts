import type { BrokerClient } from "@serialcast/broker-client"
import {
  AppError,
  CallParcel,
  type CallVerb,
  type DeviceAddress,
  isErrorCode,
  type WriteProgress,
} from "@serialcast/contract"

export interface DeviceCall {
  readonly broker: BrokerClient
  readonly verb: CallVerb
  readonly address: DeviceAddress
  readonly request: { readonly id: string; readonly part?: number | undefined }
  /** `request` is what its schema would make of it, without values that are undefined. */
  readonly isChecked?: boolean
  /** From now, and from each progress that is told. */
  readonly timeoutMs: number
  /** The reply answers the whole write, of which `request` is the last part. */
  readonly isWhole?: boolean
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: WriteProgress) => void) | undefined
}

/** Calls a device's agent and answers the reply's body; a refusal is thrown with the agent's code. */
export async function callDevice(call: DeviceCall): Promise<Record<string, unknown>> {
  const { broker, verb, address, request, isChecked, timeoutMs, isWhole = false, signal, onProgress } = call
  const reply = await broker.request({
    id: request.id,
    part: isWhole ? undefined : request.part,
    destination: broker.topics.call(verb, address, broker.clientId),
    payload: new CallParcel(request, { isChecked }),
    timeoutMs,
    signal,
    onProgress,
  })
  if ("reply" in reply) return reply.reply
  const { code, message } = reply.error
  throw new AppError(isErrorCode(code) ? code : "internal", message)
}
