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
