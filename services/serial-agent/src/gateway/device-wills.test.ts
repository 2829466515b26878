import { eventually, type MemoryBroker } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { startAgent, startBroker } from "../testing/test-agent.ts"

const wordsOf = (memory: MemoryBroker, device: string) =>
  memory
    .published(`serialcast/local/${device}/availability`)
    .map(({ payload }) => Buffer.from(payload).toString())

test("an agent that vanishes leaves each of its devices offline, by wills, and says so when it is back", async () => {
  const memory = await startBroker()
  await startAgent(() => memory.connect(), { one: "sim:echo", two: "sim:sensor" })
  for (const device of ["one", "two"])
    await eventually(() => expect(wordsOf(memory, device).at(-1)).toBe("online"))
  // The agent's own connection, and one for each device.
  await eventually(() => expect(memory.connectedClients).toBe(3))
  const before = wordsOf(memory, "one").length
  await memory.disconnectAll()
  await eventually(() => {
    for (const device of ["one", "two"])
      expect(wordsOf(memory, device).slice(before)).toEqual(expect.arrayContaining(["offline", "online"]))
    expect(wordsOf(memory, "one").at(-1)).toBe("online")
  })
})

test("an agent that stops says that its devices are offline, and no will is published", async () => {
  const memory = await startBroker()
  const agent = await startAgent(() => memory.connect(), { one: "sim:echo" })
  await eventually(() => expect(wordsOf(memory, "one").at(-1)).toBe("online"))
  await eventually(() => expect(memory.connectedClients).toBe(2))
  await agent.stop()
  expect(wordsOf(memory, "one").at(-1)).toBe("offline")
  expect(wordsOf(memory, "one").filter((word) => word === "offline")).toHaveLength(
    wordsOf(memory, "one")[0] === "offline" ? 2 : 1,
  )
  expect(memory.connectedClients).toBe(0)
})
