import { eventually } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { startAgent, startBroker, startClient, startDeviceClient, untilState } from "../testing/test-agent.ts"

const isOnline = ({ online }: { readonly online: boolean }) => online

test("whatever somebody clears or overwrites of what the agent keeps on the broker, it says again", async () => {
  const memory = await startBroker()
  await startAgent(() => memory.connect(), { uno: "sim:echo" })
  const client = await startDeviceClient(memory)
  await untilState(client, "local/uno", isOnline)
  const other = await startClient(memory)
  const state = other.topics.device("state", { gateway: "local", device: "uno" })
  const status = other.topics.status("local")
  const lastOf = (topic: string) => Buffer.from(memory.published(topic).at(-1)?.payload ?? []).toString()
  for (const { destination, words } of [
    { destination: state, words: "" },
    { destination: state, words: "{}" },
    { destination: state, words: lastOf(state.topic).replace('"online":true', '"online":false') },
    { destination: status, words: "" },
    { destination: status, words: "nonsense" },
  ]) {
    const before = memory.published(destination.topic).length
    await other.publish(destination, new TextEncoder().encode(words))
    await eventually(() => {
      expect(memory.published(destination.topic).length).toBeGreaterThan(before + 1)
      expect(lastOf(destination.topic)).toContain('"online":true')
    })
    // Whoever comes now finds what the agent said.
    await untilState(await startDeviceClient(memory), "local/uno", isOnline)
  }
})
