import { createBrokerClient } from "@serialcast/broker-client"
import { createTopics } from "@serialcast/contract"
import { systemClock } from "@serialcast/primitives"
import { type MemoryBroker, seededRandom } from "@serialcast/testkit"
import { onTestFinished } from "vitest"
import { type BrokerStore, type BrokerStoreOptions, createBrokerStore } from "../replica/broker-store.ts"

export const topics = createTopics()
const random = seededRandom()
const log = { debug() {}, info() {}, warn() {} }
let clients = 0

/** A broker client of its own, not started yet. */
export function testClient(broker: Pick<MemoryBroker, "connect">) {
  clients += 1
  const clientId = `test-${clients}`
  const openStream = () => broker.connect()
  return createBrokerClient({ clientId, topics, openStream, credentials: null }, { clock: systemClock, log })
}

/** A store of the broker that knows all, as one of several. It is closed with the test. */
export async function testStore(
  broker: Pick<MemoryBroker, "connect">,
  options: Partial<BrokerStoreOptions> = {},
): Promise<BrokerStore> {
  const store = await createBrokerStore({
    broker: testClient(broker),
    clock: systemClock,
    log,
    maxUri: 100,
    maxBody: 32 * 1024,
    maxBytes: 1024 * 1024,
    answerMs: 200,
    random: random.next,
    ...options,
  })
  onTestFinished(() => store.close())
  await store.whenReady(30_000)
  return store
}
