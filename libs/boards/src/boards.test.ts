import { AppError } from "@serialcast/contract"
import type { DeviceLease } from "@serialcast/device-stream"
import { createDeferred, systemClock } from "@serialcast/primitives"
import { createDeviceState } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { Boards } from "./boards.ts"
import type { UseBoardOptions } from "./use-board.ts"

/** A silent device whose lease the test grants or refuses. */
function playDevice() {
  const asked: { readonly grant: () => void; readonly refuse: () => void }[] = []
  const counts = { released: 0, written: 0 }
  const device: UseBoardOptions["device"] = {
    async acquireLease() {
      const answer = createDeferred<DeviceLease>()
      const release = async () => void (counts.released += 1)
      const lost = new AbortController().signal
      asked.push({
        grant: () =>
          answer.resolve({ fence: "f", holder: "me", lost, release, [Symbol.asyncDispose]: release }),
        refuse: () => answer.reject(new AppError("leased", "Somebody has it.")),
      })
      return await answer.promise
    },
    async *history() {},
    async *read() {
      yield { kind: "positioned", cursor: { epoch: "00000000000000aa", offset: 0, mark: 0 } } as const
    },
    openWriter() {
      return {
        write: async () => void (counts.written += 1),
        configure: () => Promise.reject(new Error("unused")),
        signal: () => Promise.reject(new Error("unused")),
        flush: () => Promise.reject(new Error("unused")),
        [Symbol.asyncDispose]: async () => {},
      }
    },
  }
  const boards = new Boards()
  const use = (signal: AbortSignal) =>
    boards.use(
      "local/uno",
      { device, state: createDeviceState(), by: "me", purpose: "put a", clock: systemClock, signal },
      async () => {},
    )
  return { asked, counts, use }
}

const patient = new AbortController().signal

test("who gives up behind another user is told at once, and does not keep others from waiting", async () => {
  const { asked, use } = playDevice()
  const first = use(patient)
  for (let times = 0; times < 100; times++) {
    const giving = new AbortController()
    const given = use(giving.signal)
    giving.abort()
    await expect(given).rejects.toMatchObject({ code: "cancelled" })
  }
  const next = use(patient)
  for (const user of [first, next]) {
    await expect.poll(() => asked.length).toBe(1)
    asked.shift()?.refuse()
    await expect(user).rejects.toMatchObject({ code: "leased" })
  }
})

test("who gives up while the lease is asked for gives it back, and the board is not touched", async () => {
  const { asked, counts, use } = playDevice()
  const giving = new AbortController()
  const given = use(giving.signal)
  await expect.poll(() => asked.length).toBe(1)
  giving.abort()
  asked[0]?.grant()
  await expect(given).rejects.toMatchObject({ code: "cancelled" })
  expect(counts).toEqual({ released: 1, written: 0 })
})
