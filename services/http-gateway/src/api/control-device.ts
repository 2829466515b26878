import {
  checkCall,
  configureRequestSchema,
  type PortSettings,
  settingsSchema,
  signalRequestSchema,
} from "@serialcast/contract"
import type { Request, Response } from "express"
import type { AwaitDeps } from "../await-device.ts"
import { callerOf } from "./caller.ts"
import { type ControlBodyDeps, membersOf } from "./control-body.ts"
import { deviceOf, knownDevice } from "./known-device.ts"
import { flagOf } from "./query.ts"

export type ControlDeps = AwaitDeps & ControlBodyDeps

/** Names a request while its members are checked; the call itself gets an id of its own. */
const id = "http"

/** `GET …/settings` */
export async function getSettings(request: Request, response: Response, deps: ControlDeps): Promise<void> {
  response.json((await knownDevice(request, response, deps)).settings)
}

/** `PATCH …/settings?now=`: changes what is given, and answers all settings as they are then. */
export async function patchSettings(request: Request, response: Response, deps: ControlDeps): Promise<void> {
  const given = await membersOf(request, response, Object.keys(settingsSchema.shape), deps)
  const { settings } = checkCall(configureRequestSchema, { id, settings: given })
  // JSON has no undefined: what the schema may give is not there.
  const device = await deviceOf(request, response, deps)
  response.json(await device.configure(settings as Partial<PortSettings>, controlOf(request)))
}

/** `GET …/signals`: the modem lines as they are now. */
export async function getSignals(request: Request, response: Response, deps: ControlDeps): Promise<void> {
  const { by } = callerOf(request)
  const device = await deviceOf(request, response, deps)
  response.json({ lines: await device.lines({ by }) })
}

/** `POST …/signals?now=`: sets lines or plays a macro of them, and answers the lines as they are then. */
export async function postSignals(request: Request, response: Response, deps: ControlDeps): Promise<void> {
  const given = await membersOf(request, response, ["dtr", "rts", "break", "macro"], deps)
  const { dtr, rts, break: isBreak, macro } = checkCall(signalRequestSchema, { ...given, id })
  const change = macro === undefined ? { dtr, rts, break: isBreak } : { macro }
  const device = await deviceOf(request, response, deps)
  response.json({ lines: await device.signal(change, controlOf(request)) })
}

function controlOf(request: Request) {
  return { ...callerOf(request), now: flagOf(request, "now", { absent: false }) }
}
