import { IncomingMessage } from "node:http"
import { Socket } from "node:net"
import { LoopTurns } from "@serialcast/primitives"
import { eventually, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { bodyPieces } from "./body-pieces.ts"

class PlayedRequest extends IncomingMessage {
  override _read(): void {}
}

test.each<[number | undefined, number]>([
  [undefined, 300_000],
  [30_000, 30_000],
])("with silentMs of %s a client that sends nothing is cut off after %i ms", async (silentMs, ms) => {
  const clock = new FakeClock()
  const request = new PlayedRequest(new Socket())
  const deps = { clock, turns: new LoopTurns(), ...(silentMs === undefined ? {} : { silentMs }) }
  const pieces = bodyPieces(request, deps)
  request.push(Uint8Array.of(1))
  expect((await pieces.next()).value).toHaveLength(1)
  const next = pieces.next().catch((error: unknown) => error)
  await eventually(() => expect(clock.pendingTimers).toBe(1))
  await clock.advanceAsync(ms - 1)
  expect(request.destroyed).toBe(false)
  await clock.advanceAsync(1)
  expect(request.destroyed).toBe(true)
  expect(await next).toMatchObject({ code: "cancelled" })
})
