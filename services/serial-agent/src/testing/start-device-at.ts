import { startAgent, startBroker, startDeviceClient, untilState } from "./test-agent.ts"

/** A device `uno` at this port, online, with its agent; all is gone when the test is over. */
export async function startDeviceAt(url: string) {
  const memory = await startBroker()
  await startAgent(() => memory.connect(), { uno: url })
  const client = await startDeviceClient(memory)
  await untilState(client, "local/uno", ({ online }) => online)
  return { client, device: client.device("local/uno") }
}
