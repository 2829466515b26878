import type { Device } from "@serialcast/device-stream"
import { concatBytes } from "@serialcast/primitives"
import { onTestFinished } from "vitest"

/** What a reader of the device gets from now on: bytes, and the kinds of gaps and marks. */
export async function listenTo(device: Device) {
  const reading = new AbortController()
  onTestFinished(() => reading.abort())
  const chunks: Uint8Array[] = []
  const others: string[] = []
  const events = device.read({ signal: reading.signal })[Symbol.asyncIterator]()
  await events.next()
  const pump = async () => {
    for (let next = await events.next(); !next.done; next = await events.next()) {
      const event = next.value
      if (event.kind === "bytes") chunks.push(event.bytes)
      else if (event.kind === "gap") others.push(`gap ${event.gap.reason}`)
      else if (event.kind === "mark") others.push(event.mark.kind)
    }
  }
  void pump()
  return { others, bytes: () => concatBytes(chunks) }
}
