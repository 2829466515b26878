import { AppError } from "@serialcast/contract"
import { FakeClock } from "@serialcast/testkit"
import { beforeEach, expect, test } from "vitest"
import type { RunningService } from "./service.ts"
import { startInOrder } from "./start-in-order.ts"

let events: string[]
beforeEach(() => {
  events = []
})

function starter(name: string, { isReady = true, stop = async () => {} } = {}) {
  return async (): Promise<RunningService> => {
    events.push(`start ${name}`)
    return {
      name,
      isReady: () => isReady,
      stop() {
        events.push(`stop ${name}`)
        return stop()
      },
    }
  }
}

const failing = () => Promise.reject(new AppError("listen_failed", "Port 1 is in use."))
const hanging = () => new Promise<void>(() => {})

test("services start in order and stop in reverse order, once", async () => {
  const group = await startInOrder([starter("broker"), starter("agent"), starter("console")])
  expect(group.name).toBe("broker+agent+console")
  await Promise.all([group.stop(), group.stop()])
  expect(events).toEqual([
    "start broker",
    "start agent",
    "start console",
    "stop console",
    "stop agent",
    "stop broker",
  ])
})

test("the group is ready when every service is", async () => {
  expect((await startInOrder([starter("a"), starter("b")])).isReady()).toBe(true)
  expect((await startInOrder([starter("a"), starter("b", { isReady: false })])).isReady()).toBe(false)
})

test("a failing start stops the earlier ones and is what the caller learns", async () => {
  await expect(startInOrder([starter("a"), starter("b"), failing, starter("c")])).rejects.toMatchObject({
    code: "listen_failed",
    message: "Port 1 is in use.",
  })
  expect(events).toEqual(["start a", "start b", "stop b", "stop a"])
})

test("a failing start is still told when an earlier service cannot stop", async () => {
  await expect(startInOrder([starter("a", { stop: failing }), failing])).rejects.toMatchObject({
    code: "listen_failed",
    cause: { errors: [expect.anything(), expect.objectContaining({ message: "a: Port 1 is in use." })] },
  })
})

test("one failing stop does not keep the others from stopping", async () => {
  const group = await startInOrder([starter("a"), starter("b", { stop: failing }), starter("c")])
  await expect(group.stop()).rejects.toMatchObject({ code: "internal", message: "b: Port 1 is in use." })
  expect(events.slice(3)).toEqual(["stop c", "stop b", "stop a"])
})

test("a stop that hangs is left behind in time for the others", async () => {
  const clock = new FakeClock()
  const group = await startInOrder([starter("a"), starter("b"), starter("c", { stop: hanging })], {
    clock,
    stopTimeoutMs: 4_500,
  })
  const failure = group.stop().catch((error: unknown) => error)
  await clock.advanceAsync(4_000)
  expect(await failure).toMatchObject({ message: "c: it did not stop within 4000 ms" })
  expect(events.slice(3)).toEqual(["stop c", "stop b", "stop a"])
})
