import { systemClock } from "@serialcast/primitives"
import { expect, test } from "vitest"
import { startBoardDevice } from "./testing/board-device.ts"
import { useBoard } from "./use-board.ts"

const patient = new AbortController().signal

test("a taking that is given up, wherever it is, leaves the board at its prompt and gives its lease back", async () => {
  const { counts, device, state, onWrite } = await startBoardDevice()
  const options = { device, state, by: "me", purpose: "put main.py", clock: systemClock }
  for (let place = 1; ; place++) {
    const giving = new AbortController()
    const last = counts.writes + place
    onWrite(() => counts.writes === last && giving.abort())
    let wasTaken = false
    const using = useBoard({ ...options, signal: giving.signal }, async () => {
      wasTaken = true
    })
    await using.catch((error: unknown) =>
      expect(error, `place ${place}`).toMatchObject({ code: "cancelled" }),
    )
    expect(counts.released).toBe(counts.leases)
    const found = await useBoard({ ...options, signal: patient }, async (board) => board.found)
    expect(found, `place ${place}`).toBe("prompt")
    if (wasTaken) break
  }
})

test("the end of its lease tells whether the work was done, failed or was given up", async () => {
  const { device, state, outcomes } = await startBoardDevice()
  const options = { device, state, by: "me", purpose: "put main.py", clock: systemClock, signal: patient }
  const failure = new Error("No room.")
  const fail = () => Promise.reject(failure)
  await useBoard(options, async () => {})
  await expect(useBoard(options, fail)).rejects.toBe(failure)
  const isGivenUp = (error: unknown) => error === failure
  await expect(useBoard({ ...options, isGivenUp }, fail)).rejects.toBe(failure)
  await useBoard({ ...options, isGivenUp: () => true }, async () => {})
  const giving = new AbortController()
  const giveUp = () => {
    giving.abort()
    return fail()
  }
  await expect(useBoard({ ...options, signal: giving.signal }, giveUp)).rejects.toBe(failure)
  expect(outcomes).toEqual([undefined, "failed", "cancelled", undefined, "cancelled"])
})
