import type { ServerResponse } from "node:http"
import { type AddressInfo, createServer } from "node:net"
import type { Timer } from "@serialcast/primitives"
import { eventually, FakeClock } from "@serialcast/testkit"
import { beforeEach, expect, onTestFinished, test } from "vitest"
import { answerWith, type HookReceiver, hookReceiver } from "../testing/hook-receiver.ts"
import { type HookOutcome, maxEvents, maxQueuedBytes, Webhook } from "./webhook.ts"

/** Remembers for how long each timer was started. */
class WatchedClock extends FakeClock {
  readonly waits: number[] = []

  override startTimer(delayMs: number, fire: () => void): Timer {
    this.waits.push(delayMs)
    return super.startTimer(delayMs, fire)
  }
}

let clock: WatchedClock
let outcomes: HookOutcome[]

beforeEach(() => {
  clock = new WatchedClock()
  outcomes = []
})

function hookTo(url: string): Webhook {
  let ids = 0
  const webhook = new Webhook(
    { url: new URL(url), secret: new TextEncoder().encode("a secret of some length"), version: "0.0.0" },
    {
      clock,
      random: () => 1,
      newId: () => `id-${ids++}`,
      onOutcome: (outcome) => outcomes.push(outcome),
    },
  )
  onTestFinished(async () => {
    const stopped = webhook.stop()
    await clock.advanceAsync(1_000)
    await stopped
  })
  return webhook
}

const json = (text: string) => new TextEncoder().encode(text)
const bodies = ({ received }: HookReceiver) => received.map(({ body }) => body)

/** Until the timers that were started are these. */
const untilWaits = (...waits: readonly number[]) => eventually(() => expect(clock.waits).toEqual(waits))
const untilOutcomes = (...kinds: readonly string[]) =>
  eventually(() => expect(outcomes.map(({ kind }) => kind)).toEqual(kinds))

test("an event that is taken is sent once, as JSON with a length, and the next one after it", async () => {
  const receiver = await hookReceiver(answerWith(204))
  const webhook = hookTo(receiver.url)
  for (const text of ['{"n":1}', '{"n":2}', '{"n":3}']) webhook.tell(json(text))
  await untilOutcomes("delivered", "delivered", "delivered")
  expect(bodies(receiver)).toEqual(['{"n":1}', '{"n":2}', '{"n":3}'])
  expect(receiver.mostAtOnce).toBe(1)
  expect(receiver.received[0]).toMatchObject({
    method: "POST",
    headers: {
      "content-type": "application/json",
      "content-length": "7",
      "user-agent": "serialcast/0.0.0",
      "serialcast-delivery": "id-0",
      "serialcast-signature": expect.stringMatching(/^t=\d+,v1=[0-9a-f]{64}$/),
    },
  })
})

test("a receiver that fails is asked again after 1, 2, 4 and 8 s, then given up, and the next event is sent", async () => {
  const receiver = await hookReceiver((response, count) => response.writeHead(count < 5 ? 500 : 200).end())
  const webhook = hookTo(receiver.url)
  webhook.tell(json("1"))
  webhook.tell(json("2"))
  const waits: number[] = []
  for (const ms of [1_000, 2_000, 4_000, 8_000]) {
    waits.push(10_000, ms)
    await untilWaits(...waits)
    clock.advance(ms)
  }
  await untilOutcomes("failed", "delivered")
  expect(outcomes[0]).toEqual({ kind: "failed", tries: 5, reason: "answered with 500" })
  expect(bodies(receiver)).toEqual(["1", "1", "1", "1", "1", "2"])
  const seen = (name: string) => receiver.received.map(({ headers }) => headers[name])
  expect(seen("serialcast-delivery")).toEqual([...Array(5).fill("id-0"), "id-1"])
  // Each try is signed at its own time.
  expect(new Set(seen("serialcast-signature")).size).toBe(6)
})

test("a receiver that is away for a while gets the event when it is back", async () => {
  const gone = await hookReceiver((_response, count, { socket }) => {
    if (count === 0) socket.destroy()
    else _response.writeHead(200).end()
  })
  hookTo(gone.url).tell(json("1"))
  await untilWaits(10_000, 1_000)
  clock.advance(1_000)
  await untilOutcomes("delivered")
  expect(gone.received).toHaveLength(2)
})

test("nobody at that port is a failure with its reason", async () => {
  const webhook = hookTo("http://127.0.0.1:9/hook")
  webhook.tell(json("1"))
  await untilWaits(10_000, 1_000)
  const stopped = webhook.stop()
  await untilOutcomes("failed")
  expect(outcomes[0]).toMatchObject({ tries: 2, reason: expect.stringContaining("ECONNREFUSED") })
  await stopped
})

test("to https nothing is said before the handshake", async () => {
  const said: Uint8Array[] = []
  const listener = createServer((socket) => {
    socket
      .on("error", () => {})
      .once("data", (bytes) => {
        said.push(bytes)
        socket.destroy()
      })
  })
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => void listener.close())
  hookTo(`https://127.0.0.1:${(listener.address() as AddressInfo).port}/hook`).tell(json("1"))
  await untilWaits(10_000, 1_000)
  // RFC 8446 §5.1: a record of a handshake.
  expect(said[0]?.[0]).toBe(22)
})

test("a receiver that hangs is left after 10 s, and not before", async () => {
  const receiver = await hookReceiver((response, count) => {
    if (count > 0) response.writeHead(200).end()
  })
  hookTo(receiver.url).tell(json("1"))
  await eventually(() => expect(receiver.received).toHaveLength(1))
  clock.advance(9_999)
  await new Promise(setImmediate)
  expect(clock.waits).toEqual([10_000])
  clock.advance(1)
  await untilWaits(10_000, 1_000)
  clock.advance(1_000)
  await untilOutcomes("delivered")
  expect(receiver.mostAtOnce).toBe(1)
})

test("one that answers slowly, and one whose answer has no end, have taken the event", async () => {
  const answers: ServerResponse[] = []
  const receiver = await hookReceiver((response) => answers.push(response))
  const webhook = hookTo(receiver.url)
  webhook.tell(json("1"))
  webhook.tell(json("2"))
  await eventually(() => expect(answers).toHaveLength(1))
  clock.advance(9_000)
  // The answer begins, and does not end.
  answers[0]!.writeHead(200).write("so far")
  await new Promise(setImmediate)
  expect(outcomes).toEqual([])
  answers[0]!.end()
  await untilOutcomes("delivered")

  await eventually(() => expect(answers).toHaveLength(2))
  const endless = answers[1]!
  let written = 0
  const goOn = () => {
    while (!endless.destroyed && endless.write(new Uint8Array(1_000))) written += 1_000
  }
  endless.on("drain", goOn).writeHead(200)
  goOn()
  // Nothing else ends it: the clock stands still.
  await untilOutcomes("delivered", "delivered")
  expect(written).toBeGreaterThan(0)
  expect(receiver.mostAtOnce).toBe(1)
})

test.each([301, 302, 307, 308])(
  "a redirect with %i is not followed, and gives the event up",
  async (status) => {
    const elsewhere = await hookReceiver(answerWith(200))
    const receiver = await hookReceiver((response) =>
      response.writeHead(status, { Location: elsewhere.url }).end(),
    )
    hookTo(receiver.url).tell(json("1"))
    await untilOutcomes("failed")
    expect(outcomes[0]).toEqual({ kind: "failed", tries: 1, reason: `answered with ${status}` })
    expect([receiver.received.length, elsewhere.received.length]).toEqual([1, 0])
  },
)

test.each([
  [400, false],
  [404, false],
  [410, false],
  [408, true],
  [425, true],
  [429, true],
  [503, true],
  [508, false],
])("after %i it is sent again: %j", async (status, isAgain) => {
  const receiver = await hookReceiver((response, count) =>
    response.writeHead(count === 0 ? status : 200).end(),
  )
  hookTo(receiver.url).tell(json("1"))
  if (isAgain) {
    await untilWaits(10_000, 1_000)
    clock.advance(1_000)
  }
  await untilOutcomes(isAgain ? "delivered" : "failed")
})

test("what waits is bounded in number and in bytes; what is beyond is dropped, the oldest stays", async () => {
  const answers: ServerResponse[] = []
  const receiver = await hookReceiver((response) => answers.push(response))
  const webhook = hookTo(receiver.url)
  for (let at = 0; at < maxEvents + 3; at++) webhook.tell(json(String(at)))
  await untilOutcomes("dropped", "dropped", "dropped")
  await eventually(() => expect(answers).toHaveLength(1))
  answers[0]!.writeHead(200).end()
  await eventually(() => expect(answers).toHaveLength(2))
  expect(bodies(receiver)).toEqual(["0", "1"])
  // One has left, so there is room for one.
  webhook.tell(json("new"))
  webhook.tell(json("newer"))
  expect(outcomes.map(({ kind }) => kind)).toEqual(["dropped", "dropped", "dropped", "delivered", "dropped"])

  const other = hookTo((await hookReceiver(() => {})).url)
  other.tell(new Uint8Array(maxQueuedBytes - 1))
  other.tell(new Uint8Array(2))
  other.tell(new Uint8Array(1))
  expect(outcomes.slice(5)).toEqual([{ kind: "dropped" }])
})

test("the stop sends what waits, at once, to one that takes it", async () => {
  const receiver = await hookReceiver((response, count) => response.writeHead(count === 0 ? 503 : 200).end())
  const webhook = hookTo(receiver.url)
  webhook.tell(json("1"))
  webhook.tell(json("2"))
  await untilWaits(10_000, 1_000)
  await webhook.stop()
  expect(outcomes).toEqual([{ kind: "delivered" }, { kind: "delivered" }])
  webhook.tell(json("3"))
  expect(outcomes[2]).toEqual({ kind: "dropped" })
})

test("the stop ends, a second later, what hangs", async () => {
  const receiver = await hookReceiver(() => {})
  const webhook = hookTo(receiver.url)
  for (const text of ["1", "2", "3"]) webhook.tell(json(text))
  await eventually(() => expect(receiver.received).toHaveLength(1))
  const stopped = webhook.stop()
  clock.advance(1_000)
  await stopped
  expect(outcomes).toEqual(Array(3).fill({ kind: "failed", tries: 1, reason: "the server stops" }))
  expect([receiver.received.length, clock.pendingTimers]).toEqual([1, 0])
})
