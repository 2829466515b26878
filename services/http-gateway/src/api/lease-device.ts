import { AppError, checkCall, leaseRequestSchema } from "@serialcast/contract"
import type { Request, Response } from "express"
import { callerOf } from "./caller.ts"
import { membersOf } from "./control-body.ts"
import type { ControlDeps } from "./control-device.ts"
import { deviceOf } from "./known-device.ts"

/** `POST …/lease`: takes the lease; with its token in the `Lease` header, renews it. */
export async function postLease(request: Request, response: Response, deps: ControlDeps): Promise<void> {
  const device = await deviceOf(request, response, deps)
  const { by, lease: fence } = callerOf(request)
  const { ttlMs, steal, purpose } = checkCall(leaseRequestSchema, {
    ...(await membersOf(request, response, ["ttlMs", "steal", "purpose"], deps)),
    id: "http",
  })
  const held = fence === undefined ? {} : { fence }
  response.json(await device.lease({ by, ttlMs, steal, purpose, ...held }))
}

/** `DELETE …/lease`: gives back the lease whose token is in the `Lease` header. */
export async function deleteLease(request: Request, response: Response, deps: ControlDeps): Promise<void> {
  const device = await deviceOf(request, response, deps)
  const { by, lease: fence } = callerOf(request)
  if (fence === undefined)
    throw new AppError("bad_request", "Lease: expected the token of the lease to give back.")
  await device.release({ by, fence })
  response.status(204).end()
}
