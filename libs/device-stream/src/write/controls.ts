import type { BrokerClient } from "@serialcast/broker-client"
import {
  type CallVerb,
  type DeviceAddress,
  type ModemLines,
  type PortSettings,
  parseLinesReply,
  parseSettingsReply,
  type SettingsInForce,
} from "@serialcast/contract"
import { callDevice } from "../device-call.ts"

/** How long a control waits for the writes before it: the agent refuses it then as `expired`. */
const turnMs = 30_000
/** The longest that a macro may take. */
const macroMs = 60_000
const replyMs = 10_000

export interface ControlOptions {
  /** The principal who asks. */
  readonly by: string
  /** The fence of the lease it is made under. */
  readonly lease?: string | undefined
  /** Beside the writes that wait, instead of after them. */
  readonly now?: boolean | undefined
}

/** Lines to set, absent ones stay; or a macro of them (`parseLineMacro`). */
export type SignalChange =
  | {
      readonly dtr?: boolean | undefined
      readonly rts?: boolean | undefined
      /** true: starts a break; false: ends it. */
      readonly break?: boolean | undefined
    }
  | { readonly macro: string }

/** Changes settings of the port, and answers all that it has then, and which it did not take. */
export async function configurePort(
  broker: BrokerClient,
  address: DeviceAddress,
  request: { readonly settings: Partial<PortSettings> } & ControlOptions,
): Promise<SettingsInForce> {
  const timeoutMs = turnMs + replyMs
  return parseSettingsReply(await control({ broker, verb: "configure", address, request, timeoutMs }))
}

/** Sets modem lines, and answers all as they are then; null when the port has none. */
export async function signalPort(
  broker: BrokerClient,
  address: DeviceAddress,
  request: SignalChange & ControlOptions & { readonly open: number },
): Promise<ModemLines | null> {
  const timeoutMs = turnMs + macroMs + replyMs
  return parseLinesReply(await control({ broker, verb: "signal", address, request, timeoutMs }))
}

/** The modem lines as they are now; null when the port has none. */
export async function readLines(
  broker: BrokerClient,
  address: DeviceAddress,
  request: { readonly by: string },
): Promise<ModemLines | null> {
  return parseLinesReply(await control({ broker, verb: "lines", address, request, timeoutMs: replyMs }))
}

/** Drops what was written and not sent: the port's output buffer, and the caller's writes that wait. */
export async function purgePort(
  broker: BrokerClient,
  address: DeviceAddress,
  request: { readonly by: string; readonly lease?: string | undefined },
): Promise<void> {
  await control({ broker, verb: "purge", address, request, timeoutMs: replyMs })
}

interface ControlCall {
  readonly broker: BrokerClient
  readonly verb: CallVerb
  readonly address: DeviceAddress
  readonly request: object
  readonly timeoutMs: number
}

async function control({ request, ...call }: ControlCall): Promise<Record<string, unknown>> {
  return await callDevice({ ...call, request: { id: crypto.randomUUID(), ...request } })
}
