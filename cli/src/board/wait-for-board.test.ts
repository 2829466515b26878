import { AppError } from "@serialcast/contract"
import { FakeClock } from "@serialcast/testkit"
import { expect, test, vi } from "vitest"
import { patienceMs, waitForBoard } from "./wait-for-board.ts"

const taken = new AppError("leased", "ann holds the device.")

function start(take: () => Promise<string>) {
  const clock = new FakeClock()
  const leaving = new AbortController()
  const onWait = vi.fn<(error: AppError) => Promise<void>>(async () => {})
  const held = { is: true }
  const options = { clock, signal: leaving.signal, isHeld: () => held.is, onWait }
  return { clock, leaving, onWait, held, board: waitForBoard(take, options) }
}

test("a board that becomes free is had, and that it was waited for is said once", async () => {
  const take = vi
    .fn<() => Promise<string>>()
    .mockRejectedValueOnce(taken)
    .mockRejectedValueOnce(taken)
    .mockResolvedValue("it")
  const { clock, onWait, held, board } = start(take)
  await clock.advanceAsync(5_000)
  expect(take).toHaveBeenCalledTimes(1)
  held.is = false
  await clock.advanceAsync(400)
  expect(await board).toBe("it")
  expect([onWait.mock.calls, clock.pendingTimers]).toEqual([[[taken]], 0])
})

test("one that stays taken is told after a while", async () => {
  const { clock, board } = start(() => Promise.reject(taken))
  const ended = board.catch((error: unknown) => error)
  await clock.advanceAsync(patienceMs + 400)
  expect(await ended).toBe(taken)
})

test("whatever else is wrong is told at once, and who leaves waits no longer", async () => {
  const wrong = new AppError("not_micropython", "It is none.")
  const { onWait, board } = start(() => Promise.reject(wrong))
  await expect(board).rejects.toBe(wrong)
  expect(onWait).not.toHaveBeenCalled()
  const { clock, leaving, board: left } = start(() => Promise.reject(taken))
  const ended = left.catch((error: unknown) => error)
  await clock.advanceAsync(1)
  leaving.abort()
  expect(await ended).toMatchObject({ code: "cancelled" })
})
