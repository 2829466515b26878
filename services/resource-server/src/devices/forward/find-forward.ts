import { AppError } from "@serialcast/contract"
import { parseTarget, servedType } from "@serialcast/resources"
import type { ForwardConfig } from "@serialcast/service-kit"
import { callerOf } from "../caller.ts"
import { readWhole } from "../read-whole.ts"
import { sendBytes } from "../send-bytes.ts"
import { answering, type DeviceServerDeps, type FindHandler, type ResponseSlot } from "../serve-devices.ts"
import { exchange } from "./exchange.ts"
import { matchReply } from "./match-reply.ts"
import { requestLine } from "./request-line.ts"
import { DeviceTurns } from "./take-turn.ts"

export interface ForwardDeps extends Omit<DeviceServerDeps, "followers"> {
  /** Types that browsers run are served as such. */
  readonly html: boolean
}

interface Forward extends ForwardConfig {
  readonly pattern: RegExp
}

/** Resources whose requests a device answers. */
export function findForward(forwards: readonly ForwardConfig[], deps: ForwardDeps): FindHandler {
  const byUri = new Map(forwards.map((one) => [one.uri, { ...one, pattern: new RegExp(one.reply) }]))
  const turns = new DeviceTurns(deps.clock)
  return ({ url = "" }) => {
    const target = parseTarget(url)
    const forward = target.kind === "resource" ? byUri.get(target.uri) : undefined
    if (forward === undefined) return undefined
    return answering({ ...deps, allow: allowOf(forward) }, (slot) => serve(forward, slot, { ...deps, turns }))
  }
}

async function serve(
  forward: Forward,
  slot: ResponseSlot,
  deps: ForwardDeps & { readonly turns: DeviceTurns },
): Promise<void> {
  const { request, response, signal } = slot
  const { devices, arrivals, turns, clock, html } = deps
  const { uri, device, pattern, contentType, timeoutMs } = forward
  const { method = "", url = "" } = request
  const takesBody = method === "PUT" || method === "POST"
  const body = takesBody ? await readWhole(slot, deps) : new Uint8Array(0)
  const query = url.includes("?") ? url.slice(url.indexOf("?") + 1) : ""
  const line = requestLine(forward, { method: method === "HEAD" ? "GET" : method, uri, body, query })
  const by = callerOf(request)
  const reply = await turns.take(device, by, async () => {
    const state = await arrivals.need(device, signal)
    if (!state.online)
      throw new AppError("device_offline", `${device} is offline. ${state.problem?.message ?? ""}`.trimEnd())
    const match = (found: Uint8Array) => matchReply(pattern, found)
    const options = { state: () => devices.devices.get(device), clock, by, line, match, timeoutMs, signal }
    return await exchange({ device: devices.device(device), ...options })
  })
  sendBytes(response, servedType(contentType, html), reply)
}

function allowOf({ methods }: ForwardConfig): string {
  const all = methods.flatMap((method) => (method === "GET" ? [method, "HEAD"] : [method]))
  return [...new Set(all), "OPTIONS"].join(", ")
}
