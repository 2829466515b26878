import { expect, test } from "vitest"
import { defaultSettings } from "../default-settings.ts"
import type { DriverRig } from "./check-driver.ts"
import { PortRecord } from "./port-record.ts"

/** Tests what a driver promises that can end a write which waits for the device to read. */
export function checkGivingBack(openRig: () => Promise<DriverRig>): void {
  test("a write that waits is given back when it is aborted: what follows comes right behind what was taken", async () => {
    await using rig = await openRig()
    const port = await rig.driver.open(defaultSettings, new PortRecord())
    const stop = new AbortController()
    const write = port.write(new Uint8Array(rig.tooManyBytes).fill(0x55), stop.signal)
    await rig.deviceReads(1)
    stop.abort()
    const taken = await write
    expect(taken).toBeLessThan(rig.tooManyBytes)
    const next = port.write(Uint8Array.of(7))
    const got = await rig.deviceReads(taken)
    await next
    expect([got.subarray(0, taken - 1).every((byte) => byte === 0x55), got.at(-1)]).toEqual([true, 7])
    await port.close()
  })

  test("a write that is aborted before it begins gives back what does not fit", async () => {
    await using rig = await openRig()
    const port = await rig.driver.open(defaultSettings, new PortRecord())
    const taken = await port.write(new Uint8Array(rig.tooManyBytes), AbortSignal.abort())
    expect(taken).toBeLessThan(rig.tooManyBytes)
    await port.close()
  })
}
