import type { Receipt } from "@serialcast/contract"
import type { DeviceClient } from "@serialcast/device-stream"
import { createDeferred } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { createAcceptedWrites } from "./accepted-writes.ts"

const receipt: Receipt = { bytes: 1, from: "00000000000000aa-0", to: "00000000000000aa-1", drainedUs: 1 }

/** Writes to a device that answers when the test says so. */
function start() {
  const clock = new FakeClock()
  const answer = createDeferred<Receipt>()
  const devices = { device: () => ({ write: () => answer.promise }) } as unknown as DeviceClient
  const writes = createAcceptedWrites(devices, clock)
  const write = () => writes.write({ address: "local/uno", bytes: Uint8Array.of(1), by: "test" })
  return { clock, answer, writes, write }
}

test("a stop waits for the writes that were accepted, and takes no more", async () => {
  const { answer, writes, write } = start()
  const accepted = write()
  const finished = writes.finish()
  await expect(write()).rejects.toMatchObject({ code: "overloaded" })
  answer.resolve(receipt)
  expect(await accepted).toEqual(receipt)
  await finished
})

test("what the device does not take in time is refused, with its outcome unknown", async () => {
  const { clock, writes, write } = start()
  const accepted = write()
  const finished = writes.finish()
  clock.advance(1_500)
  await expect(accepted).rejects.toMatchObject({ code: "no_reply" })
  await finished
})
