import { concatBytes } from "@serialcast/primitives"
import { checkCounting, countingBytes, seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { ByteQueue } from "./byte-queue.ts"

test("bytes leave in the order in which they came, whatever the sizes of the pieces", () => {
  const random = seededRandom()
  const queue = new ByteQueue()
  const left: Uint8Array[] = []
  let pushed = 0
  let taken = 0
  for (let round = 0; round < 500; round++) {
    const length = Math.floor(random.next() ** 4 * 200_000)
    queue.push(countingBytes(pushed, length))
    pushed += length
    const oldest = random.next() < 0.6 ? queue.shift() : undefined
    if (oldest !== undefined) left.push(oldest)
    taken += oldest?.byteLength ?? 0
    expect(queue.size, `seed ${random.seed}`).toBe(pushed - taken)
  }
  for (let oldest = queue.shift(); oldest !== undefined; oldest = queue.shift()) left.push(oldest)
  const all = concatBytes(left)
  expect([all.byteLength, checkCounting(all, 0)], `seed ${random.seed}`).toEqual([pushed, undefined])
})

test("small pieces leave together", () => {
  const queue = new ByteQueue()
  for (let count = 0; count < 1000; count++) queue.push(Uint8Array.of(count))
  expect(queue.shift()).toHaveLength(1000)
  expect(queue.shift()).toBeUndefined()
})
