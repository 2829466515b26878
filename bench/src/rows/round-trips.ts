import type { Consumer, Load } from "../rig/load.ts"
import type { Rig } from "../rig/rig.ts"

const samples = 2_000
const warmUpSamples = 200
const writeBytes = 16

/**
 * `p50` and `p99` in ms of what `consumer` writes until the device, which sends it back, has answered. The pause is the
 * time between an answer and the next write; without one, nothing that is still done behind an answer is hidden by it.
 */
export async function roundTrips(
  rig: Rig,
  load: Load,
  consumer: Consumer,
  { pauseMs = 5 }: { readonly pauseMs?: number } = {},
): Promise<{ readonly p50: number; readonly p99: number }> {
  await consumer.roundTrips({ count: rig.scaled(warmUpSamples), bytes: writeBytes, pauseMs })
  await load.takeDelays()
  await consumer.roundTrips({ count: rig.scaled(samples), bytes: writeBytes, pauseMs })
  const { p50Us, p99Us } = await load.takeDelays()
  // Bytes behind the last answer are nobody's.
  await consumer.settled()
  return { p50: p50Us / 1_000, p99: p99Us / 1_000 }
}
