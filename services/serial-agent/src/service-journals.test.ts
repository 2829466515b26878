import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { loadConfig } from "@serialcast/service-kit"
import { createTemporaryFolder } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { startAgent, startBroker, startDeviceClient, untilState } from "./testing/test-agent.ts"

function createFolder(): string {
  const folder = createTemporaryFolder()
  onTestFinished(() => folder[Symbol.dispose]())
  return folder.path
}

/** The configuration with its journals in `dir`. */
const journalsIn = (dir: string) => ({
  journal: { ...loadConfig({ env: {}, directory: "/nowhere" }).journal, dir },
})

test("an agent whose journals cannot be made shows every byte all the same, and says that it keeps none", async () => {
  const memory = await startBroker()
  const dir = join(createFolder(), "file")
  await writeFile(dir, "in the way")
  await startAgent(() => memory.connect(), { uno: "sim:echo" }, journalsIn(dir))
  const client = await startDeviceClient(memory)
  const { journal } = await untilState(client, "local/uno", ({ online }) => online)
  expect(journal.problem).toMatchObject({ code: "journal_failed" })
  const device = client.device("local/uno")
  const receipt = await device.write(Uint8Array.of(1, 2, 3), { by: "test" })
  expect(receipt).toMatchObject({ bytes: 3 })
  const { signal } = new AbortController()
  for await (const event of device.read({ from: { kind: "start" }, signal })) {
    if (event.kind !== "bytes") continue
    expect(event.bytes).toEqual(Uint8Array.of(1, 2, 3))
    break
  }
})

test("an agent does not start on journals that another one has open, and says whose they are", async () => {
  const memory = await startBroker()
  const dir = createFolder()
  const start = () => startAgent(() => memory.connect(), { uno: "sim:echo" }, journalsIn(dir))
  const first = await start()
  await expect(start()).rejects.toMatchObject({
    code: "journal_taken",
    message: expect.stringContaining(`process ${process.pid}`),
  })
  await first.stop()
  await start()
})
