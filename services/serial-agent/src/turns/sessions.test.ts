import { maxSessionBytes } from "@serialcast/contract"
import { clockTroubles, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { Sessions } from "./sessions.ts"

const place = (seq: number, sizeBytes = 1, session = "me/s") => ({ session, seq, sizeBytes })
const refused = (code: string) => expect.objectContaining({ code })

function start() {
  const clock = new FakeClock()
  const sessions = new Sessions<number>(clock)
  const enter = (seq: number) => {
    expect(sessions.whyNot(place(seq))).toBeNull()
    return sessions.enter(place(seq), seq)
  }
  return { clock, sessions, enter }
}

test("what comes early waits for what is missing", () => {
  const { enter } = start()
  expect(enter(2)).toEqual([])
  expect(enter(0)).toEqual([0])
  expect(enter(4)).toEqual([])
  expect(enter(1)).toEqual([1, 2])
  expect(enter(3)).toEqual([3, 4])
})

test("after a refusal what waits behind it is refused, and what comes later too; what is before it goes on", () => {
  const { enter, sessions } = start()
  for (const seq of [5, 2, 3]) enter(seq)
  expect(sessions.leave(place(3), 3, true)).toEqual([5])
  expect(sessions.whyNot(place(6))).toEqual(refused("out_of_order"))
  expect(sessions.whyNot(place(3))).toEqual(refused("out_of_order"))
  expect(enter(0)).toEqual([0])
  expect(enter(1)).toEqual([1, 2])
})

test("what was refused before it came in ends the session there", () => {
  const { sessions } = start()
  expect(sessions.leave(place(0), 0, true)).toEqual([])
  expect(sessions.whyNot(place(1))).toEqual(refused("out_of_order"))
})

test("a place is given once, and who asks for it again breaks nothing", () => {
  const { enter, sessions } = start()
  enter(0)
  enter(2)
  for (const seq of [0, 2]) {
    expect(sessions.whyNot(place(seq))).toEqual(refused("out_of_order"))
    expect(sessions.leave(place(seq), 99, true)).toEqual([])
  }
  sessions.leave(place(0), 0, false)
  expect(sessions.whyNot(place(0))).toEqual(refused("out_of_order"))
  expect(enter(1)).toEqual([1, 2])
})

test("a session is bounded in bytes, and what is over makes room", () => {
  const { sessions } = start()
  const all = place(0, maxSessionBytes)
  sessions.enter(all, 0)
  expect(sessions.whyNot(place(1))).toEqual(refused("overloaded"))
  expect(sessions.whyNot(place(1, 0))).toBeNull()
  sessions.leave(all, 0, false)
  expect(sessions.whyNot(place(1))).toBeNull()
})

test("sessions of other clients are others", () => {
  const { enter, sessions } = start()
  enter(0)
  expect(sessions.enter(place(0, 1, "you/s"), 7)).toEqual([7])
})

test("of many sessions, the one that was silent for longest is forgotten, and none that waits", () => {
  const { sessions } = start()
  sessions.enter(place(0, 1, "waits"), 0)
  for (const name of ["silent", "speaks"]) {
    sessions.enter(place(0, 1, name), 0)
    sessions.leave(place(0, 1, name), 0, false)
  }
  for (let n = 0; n < 1_021; n++) sessions.enter(place(0, 1, `${n}`), n)
  // Used again, so that it is not the oldest.
  expect(sessions.whyNot(place(1, 1, "speaks"))).toBeNull()
  expect(sessions.enter(place(0, 1, "new"), 0)).toEqual([0])
  expect(sessions.enter(place(1, 1, "speaks"), 1)).toEqual([1])
  expect(sessions.whyNot(place(0, 1, "one more"))).toEqual(refused("overloaded"))
})

test("one client cannot hold all sessions: of its own, silent ones make room, and where none is it is refused, alone", () => {
  const { sessions } = start()
  sessions.enter(place(0, 1, "you/s"), 0)
  sessions.leave(place(0, 1, "you/s"), 0, false)
  for (let n = 0; n < 768; n++) sessions.enter(place(1, 1, `me/${n}`), n)
  expect(sessions.whyNot(place(0, 1, "me/more"))).toEqual(refused("overloaded"))
  expect(sessions.whyNot(place(0, 1, "they/s"))).toBeNull()
  // That of another client, silent for longer, is not taken for it.
  expect(sessions.enter(place(1, 1, "you/s"), 1)).toEqual([1])
  sessions.leave(place(1, 1, "me/5"), 5, false)
  expect(sessions.whyNot(place(0, 1, "me/more"))).toBeNull()
})

test("a session is forgotten after ten minutes of silence", () => {
  const { clock, sessions, enter } = start()
  enter(0)
  sessions.leave(place(0), 0, false)
  clock.advance(599_999)
  expect(enter(1)).toEqual([1])
  sessions.leave(place(1), 1, false)
  clock.advance(600_000)
  sessions.whyNot(place(0, 1, "another"))
  expect(enter(2)).toEqual([])
})

test.each(clockTroubles)(
  "on a machine %s a session is forgotten after its silence, and not before",
  (_title, befall) => {
    const { clock, sessions, enter } = start()
    enter(0)
    sessions.leave(place(0), 0, false)
    clock.advance(300_000)
    befall(clock)
    sessions.whyNot(place(0, 1, "another"))
    expect(enter(1)).toEqual([1])
    sessions.leave(place(1), 1, false)
    befall(clock)
    clock.advance(600_000)
    sessions.whyNot(place(0, 1, "one more"))
    expect(enter(2)).toEqual([])
  },
)
