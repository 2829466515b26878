import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { createLineSink } from "./line-sink.ts"

/** A target that takes `room` bytes, then none. */
function target(room: number) {
  const state = { room, isBroken: false, text: "", tries: 0 }
  const clock = new FakeClock()
  const write = (bytes: Uint8Array) => {
    state.tries++
    if (state.isBroken) throw new Error("EPIPE")
    const taken = bytes.subarray(0, state.room)
    state.room -= taken.byteLength
    state.text += new TextDecoder().decode(taken)
    return taken.byteLength
  }
  const sink = createLineSink({ write, clock, onDropped: (lines) => sink.write(`${lines} dropped\n`) })
  return { state, clock, sink }
}

test("lines are written at once, and go on where a full target stopped", () => {
  const { state, clock, sink } = target(8)
  sink.write("first\n")
  expect(state.text).toBe("first\n")
  sink.write("second\n")
  sink.write("third\n")
  expect(state.text).toBe("first\nse")
  // A full target is left in peace until the next try.
  expect(state.tries).toBe(2)
  state.room = 1_000
  clock.advance(50)
  expect(state.text).toBe("first\nsecond\nthird\n")
  sink.write("fourth\n")
  expect(state.text).toBe("first\nsecond\nthird\nfourth\n")
})

test("beyond 1 MiB lines are dropped, and the log says how many once it goes on", () => {
  const { state, clock, sink } = target(0)
  const line = `${"x".repeat(1023)}\n`
  for (let count = 0; count < 1_030; count++) sink.write(line)
  state.room = Number.POSITIVE_INFINITY
  clock.advance(50)
  expect(state.text).toBe(`${line.repeat(1_024)}6 dropped\n`)
})

test("a broken target costs its lines and nothing else", () => {
  const { state, sink } = target(1_000)
  state.isBroken = true
  sink.write("lost\n")
  sink.write("lost\n")
  state.isBroken = false
  sink.write("back\n")
  expect(state.text).toBe("back\n2 dropped\n")
})

test("at the end of the process, what the target takes is written", () => {
  const { state, sink } = target(0)
  sink.write("last\n")
  state.room = 3
  sink.flush()
  expect(state.text).toBe("las")
})
