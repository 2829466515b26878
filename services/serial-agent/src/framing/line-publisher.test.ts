import { AppError, createTopics, type Destination, type Framing } from "@serialcast/contract"
import { createMemoryJournal } from "@serialcast/journal"
import { createWakeup } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { startLinePublisher } from "./line-publisher.ts"

const address = { gateway: "local", device: "uno" }
const topics = createTopics()
const line = { type: "line", maxBytes: 16 } as const

/** A broker connection whose state and speed the test sets. */
class PlayedConnection {
  readonly topics = topics
  /** What is cut ends with `✂`. */
  readonly lines: string[] = []
  isConnected = true
  isFull = false
  attempts = 0
  #isHeld = false
  readonly #released = createWakeup()

  async publish({ topic }: Destination, payload: Uint8Array): Promise<void> {
    this.attempts++
    if (!this.isConnected) throw new AppError("broker_offline", "There is no broker connection.")
    if (this.isFull) throw new AppError("overloaded", "full")
    const text = Buffer.from(payload).toString("latin1")
    if (topic === "serialcast/local/uno/line") this.lines.push(text)
    if (topic === "serialcast/local/uno/line/cut") this.lines.push(`${text}✂`)
    if (this.#isHeld) await this.#released.wait()
  }

  hold(): void {
    this.#isHeld = true
  }

  release(): void {
    this.#isHeld = false
    this.#released.wake()
  }
}

function start(framing: Framing = line, { before = "before\n" } = {}) {
  const clock = new FakeClock()
  const journal = createMemoryJournal({ clock, createEpoch: () => "00112233aabbccdd" })
  journal.append("rx", Buffer.from(before, "latin1"))
  const broker = new PlayedConnection()
  const publisher = startLinePublisher({
    broker,
    address,
    journal,
    framing,
    clock,
  })
  onTestFinished(async () => {
    broker.release()
    await publisher.stop()
  })
  const send = async (text: string) => {
    journal.append("rx", Buffer.from(text, "latin1"))
    await clock.advanceAsync(0)
  }
  return { clock, journal, broker, publisher, send }
}

test("each message is published bare, from the start of the publisher on", async () => {
  const { broker, send } = start()
  await send("one\r\ntw")
  expect(broker.lines).toEqual(["one"])
  await send("o\n\nthree\n")
  expect(broker.lines).toEqual(["one", "two", "", "three"])
})

test("what is not a whole message comes on a topic of its own: too long, or against SLIP", async () => {
  const { broker, send } = start({ type: "line", maxBytes: 4 })
  await send("12345\n6\n")
  expect(broker.lines).toEqual(["1234✂", "5✂", "6"])
  const slip = start({ type: "slip", maxBytes: 16 }, { before: "" })
  await slip.send("\xc0ab\xc0\xdb\xdb\xdc\xc0\xdb\xdc\xc0c\xdb\xc0")
  expect(slip.broker.lines).toEqual(["ab", "\xdb\xc0✂", "\xc0", "c\xdb✂"])
})

test.each<[Framing, string, string, string[]]>([
  [line, "20.25\n-12", "1.50\n20.75\n", ["1.50✂", "20.75"]],
  [line, "20.25\n", "-121.50\n20.75\n", ["-121.50", "20.75"]],
  [{ type: "slip", maxBytes: 16 }, "\xc0a", "b\xc0c\xc0", ["b✂", "c"]],
  [{ type: "fixed", length: 2 }, "aab", "ccdd", ["cc", "dd"]],
])(
  "with %j, what follows on %j at a restart is the rest of a message, unless that was whole",
  async (framing, before, after, expected) => {
    const { broker, journal, clock } = start(framing, { before })
    journal.mark("rx", { kind: "opened", open: 2 })
    journal.append("rx", Buffer.from(after, "latin1"))
    await clock.advanceAsync(0)
    expect(broker.lines).toEqual(expected)
  },
)

test("what is written to the device is no message of it", async () => {
  const { broker, journal, send } = start()
  journal.append("tx", Buffer.from("AT\n"))
  await send("OK\n")
  expect(broker.lines).toEqual(["OK"])
})

test("a message does not go on over a close, an open or an overrun; but over other marks", async () => {
  const { broker, journal, send } = start()
  await send("a")
  journal.mark("rx", { kind: "leased", holder: "me" })
  await send("b")
  journal.mark("rx", { kind: "closed", reason: "unplugged" })
  journal.mark("rx", { kind: "opened", open: 2 })
  await send("c")
  journal.mark("rx", { kind: "overrun" })
  await send("d\n")
  expect(broker.lines).toEqual(["ab✂", "c✂", "d✂"])
})

test("a silence ends an idle message, also when nothing follows", async () => {
  const { broker, clock, send } = start({ type: "idle", idleMs: 5, maxBytes: 16 }, { before: "" })
  await send("ab")
  await clock.advanceAsync(4)
  await send("cd")
  await clock.advanceAsync(5.9)
  expect(broker.lines).toEqual([])
  await clock.advanceAsync(0.1)
  expect(broker.lines).toEqual(["abcd"])
  expect(clock.pendingTimers).toBe(0)
})

test("nothing is kept for a broker that is away, and after its return only whole messages come", async () => {
  const { broker, send } = start()
  await send("on")
  broker.isConnected = false
  await send("e\ntwo\nthr")
  broker.isConnected = true
  await send("ee\n")
  expect([broker.lines, broker.attempts]).toEqual([["three"], 1])
})

test("behind a slow broker the messages wait in order", async () => {
  const { broker, clock, send } = start()
  broker.hold()
  for (let n = 0; n < 1_000; n++) await send(`${n}\n`)
  broker.release()
  await clock.advanceAsync(0)
  expect(broker.lines).toEqual(Array.from({ length: 1_000 }, (_, n) => `${n}`))
})

test("a lag of more than a mebibyte is dropped, empty messages counted too; what follows is whole", async () => {
  const { broker, clock, send } = start()
  broker.hold()
  await send("first\n")
  for (let n = 0; n < 10; n++) await send("\n".repeat(3_000))
  broker.release()
  await send("last\n")
  await clock.advanceAsync(0)
  expect(broker.lines[0]).toBe("first")
  expect(broker.lines.at(-1)).toBe("last")
  expect(broker.lines.length).toBeLessThan((1024 * 1024) / 64)
})

test("a full connection is given time, and then gets the message", async () => {
  const { broker, clock, send } = start()
  broker.isFull = true
  await send("one\n")
  await clock.advanceAsync(200)
  expect(broker.attempts).toBeLessThan(15)
  broker.isFull = false
  await clock.advanceAsync(20)
  expect(broker.lines).toEqual(["one"])
})

test("stopping publishes the device's last words", async () => {
  const { broker, journal, publisher } = start()
  journal.append("rx", Buffer.from("one\ntwo"))
  journal.mark("rx", { kind: "closed", reason: "stopping" })
  await publisher.stop()
  expect(broker.lines).toEqual(["one", "two✂"])
})

test("stopping waits one second for a broker that takes nothing", async () => {
  const { broker, clock, publisher, send } = start()
  broker.hold()
  await send("one\n")
  let isStopped = false
  const stopped = publisher.stop().then(() => {
    isStopped = true
  })
  await clock.advanceAsync(999)
  expect(isStopped).toBe(false)
  await clock.advanceAsync(1)
  await stopped
})
