import type { Consumer, LoadDevice } from "../rig/load.ts"
import { nowNs } from "../rig/process-usage.ts"
import type { Rig } from "../rig/rig.ts"
import { expectBytes } from "./expect-bytes.ts"

/** What a device that never pauses sends to be measured, and before it to warm up. */
export const floodBytes = 50_000_000
export const warmUpBytes = 5_000_000

/** MB/s from a device that never pauses to `consumer`, which has not got anything of it yet. */
export async function floodSpeed(rig: Rig, device: LoadDevice, consumer: Consumer): Promise<number> {
  const warmUp = rig.scaled(warmUpBytes)
  await Promise.all([device.feed({ bytes: warmUp }), consumer.until(warmUp)])
  const bytes = rig.scaled(floodBytes)
  const startNs = nowNs()
  const [, { atNs }] = await Promise.all([device.feed({ bytes }), consumer.until(warmUp + bytes)])
  expectBytes(await consumer.settled(), warmUp + bytes)
  return (bytes * 1_000) / (atNs - startNs)
}
