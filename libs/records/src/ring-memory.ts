/** A process to be measured: prints how many times their capacity 8 full rings take, for each size of chunk given. */
import { recordCostBytes } from "./record-cost.ts"
import { RecordRing } from "./record-ring.ts"

const capacityBytes = 4 * 1024 * 1024

function takenBytes(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

for (const sizeBytes of process.argv.slice(2).map(Number)) {
  const before = takenBytes()
  const rings = Array.from({ length: 8 }, () => new RecordRing(capacityBytes, { offset: 0, mark: 0 }))
  // Half as much again as they hold, so that all drop.
  const endOffset = (1.5 * capacityBytes * sizeBytes) / (sizeBytes + recordCostBytes)
  for (let offset = 0; offset < endOffset; offset += sizeBytes)
    for (const ring of rings) ring.append({ offset, timeUs: offset, bytes: new Uint8Array(sizeBytes) })
  const taken = takenBytes() - before
  const areFull = rings.every(({ start }) => start.offset > 0)
  if (areFull) process.stdout.write(`${taken / (rings.length * capacityBytes)}\n`)
}
