import {
  checkCall,
  configureRequestSchema,
  type PortSettings,
  settingsSchema,
  signalRequestSchema,
} from "@serialcast/contract"
import type { DeviceClient } from "@serialcast/device-stream"
import type { Request, Response } from "express"
import { callerOf } from "./caller.ts"
import { membersOf } from "./control-body.ts"
import { deviceOf, knownDevice } from "./known-device.ts"
import { flagOf } from "./query.ts"

export interface ControlDeps {
  readonly devices: DeviceClient
}

/** Names a request while its members are checked; the call itself gets an id of its own. */
const id = "http"

/** `GET …/settings` */
export function getSettings(request: Request, response: Response, { devices }: ControlDeps): void {
  response.json(knownDevice(devices.devices, request).settings)
}

/** `PATCH …/settings?now=`: changes what is given, and answers all settings as they are then. */
export async function patchSettings(request: Request, response: Response, deps: ControlDeps): Promise<void> {
  const given = membersOf(request, Object.keys(settingsSchema.shape))
  const { settings } = checkCall(configureRequestSchema, { id, settings: given })
  // JSON has no undefined: what the schema may give is not there.
  response.json(
    await deviceOf(request, deps).configure(settings as Partial<PortSettings>, controlOf(request)),
  )
}

/** `GET …/signals`: the modem lines as they are now. */
export async function getSignals(request: Request, response: Response, deps: ControlDeps): Promise<void> {
  const { by } = callerOf(request)
  response.json({ lines: await deviceOf(request, deps).lines({ by }) })
}

/** `POST …/signals?now=`: sets lines or plays a macro of them, and answers the lines as they are then. */
export async function postSignals(request: Request, response: Response, deps: ControlDeps): Promise<void> {
  const given = membersOf(request, ["dtr", "rts", "break", "macro"])
  const { dtr, rts, break: isBreak, macro } = checkCall(signalRequestSchema, { ...given, id })
  const change = macro === undefined ? { dtr, rts, break: isBreak } : { macro }
  response.json({ lines: await deviceOf(request, deps).signal(change, controlOf(request)) })
}

function controlOf(request: Request) {
  return { ...callerOf(request), now: flagOf(request, "now", { absent: false }) }
}
