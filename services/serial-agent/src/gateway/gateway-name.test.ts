import { createTopics, type GatewayStatus } from "@serialcast/contract"
import { eventually, FakeClock, type MemoryBroker } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { startAgent, startBroker, startClient } from "../testing/test-agent.ts"
import { watchGatewayName } from "./gateway-name.ts"
import { encodeJson } from "./json.ts"

const status = createTopics().status("local")

async function watch(
  memory: MemoryBroker,
  onRival: (isStronger: boolean) => void = () => {},
  onHeard: () => void = () => {},
) {
  const clock = new FakeClock()
  const broker = await startClient(memory)
  const options = { gateway: "local", instance: "mine", clock, onHeard, onRival }
  const name = await watchGatewayName(broker, options)
  return { clock, name }
}

/** Claims the name, and lets the time pass in which what the broker kept may still come. */
async function claim({ clock, name }: Awaited<ReturnType<typeof watch>>): Promise<void> {
  const claiming = name.claim()
  await eventually(() => expect(clock.pendingTimers).toBe(1))
  clock.advance(100)
  await claiming
}

async function keepStatus(memory: MemoryBroker, value: GatewayStatus): Promise<void> {
  await (await startClient(memory)).publish(status, encodeJson(value))
}

const living = { online: true, instance: "other", version: "1", started: "", devices: [] } as const

test("a name that nobody has is free", async () => {
  await claim(await watch(await startBroker()))
})

test("a name whose holder said good-bye is free, and so is one's own", async () => {
  for (const before of [{ online: false } as const, { ...living, instance: "mine" }]) {
    const memory = await startBroker()
    await keepStatus(memory, before)
    await claim(await watch(memory))
  }
})

test("a name that a living agent has is refused", async () => {
  const memory = await startBroker()
  await startAgent(() => memory.connect(), { echo: "sim:echo" })
  await eventually(() => expect(memory.published(status.topic)).toHaveLength(1))
  await expect(claim(await watch(memory))).rejects.toMatchObject({ code: "gateway_name_taken" })
})

test("a name whose holder does not answer for two seconds is free", async () => {
  const memory = await startBroker()
  await keepStatus(memory, living)
  const watched = await watch(memory)
  const { clock } = watched
  let isFree = false
  const claiming = claim(watched).then(() => {
    isFree = true
  })
  await eventually(() => expect(memory.published("serialcast/_discover")).toHaveLength(1))
  clock.advance(1_999)
  await new Promise(setImmediate)
  expect(isFree).toBe(false)
  clock.advance(1)
  await claiming
})

test("whoever watches a name hears all that is said under it", async () => {
  const memory = await startBroker()
  let heard = 0
  await watch(memory, undefined, () => heard++)
  await keepStatus(memory, living)
  await keepStatus(memory, { online: false })
  await eventually(() => expect(heard).toBe(2))
})

test("a rival that speaks is told, with who of both is to stay; what the broker kept of one is not", async () => {
  const memory = await startBroker()
  await keepStatus(memory, living)
  const told: boolean[] = []
  await watch(memory, (isStronger) => told.push(isStronger))
  await keepStatus(memory, { ...living, instance: "nobody" })
  await keepStatus(memory, { ...living, instance: "a-smaller-one" })
  await keepStatus(memory, { ...living, instance: "mine" })
  await eventually(() => expect(told).toEqual([false, true]))
})
