import { AppError, lineEnds } from "@serialcast/contract"
import { concatBytes } from "@serialcast/primitives"
import { callerOf } from "../caller.ts"
import { readWhole } from "../read-whole.ts"
import type { DeviceRequest, DeviceServerDeps } from "../serve-devices.ts"

/** `…/tx`: writes the body as it is, with the line end that `?eol=` names; answers when it is drained to the port. */
export async function writeBody(asked: DeviceRequest, deps: DeviceServerDeps): Promise<void> {
  const { address, query, request, response, signal } = asked
  const end = lineEnds.get(query.get("eol") ?? "none")
  if (end === undefined) throw new AppError("bad_request", "eol: expected none, lf, cr or crlf.")
  // Before the body is read: what cannot be written costs no memory.
  await deps.arrivals.need(address, signal)
  const body = await readWhole(asked, deps)
  const bytes = end === "" ? body : concatBytes([body, new TextEncoder().encode(end)])
  // Also when its client leaves meanwhile: half of it is what nobody wanted.
  await deps.devices.device(address).write(bytes, { by: callerOf(request) })
  response.writeHead(204).end()
}
