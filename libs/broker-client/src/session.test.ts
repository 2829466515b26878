import { createMemoryBroker } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { openSession } from "./session.ts"
import { codeOf, testTopics } from "./test-broker.ts"

test("what comes when a session is over is refused at once: the MQTT client would keep it for ever", async () => {
  await using broker = await createMemoryBroker()
  const openStream = () => broker.connect()
  const session = openSession(
    { clientId: "test", topics: testTopics, openStream, credentials: null },
    () => {},
  )
  await session.connected
  const destination = testTopics.status("local")
  const caught = codeOf(session.publish(destination, Uint8Array.of(1)))
  session.cut()
  await session.ended
  expect(await caught).toBe("broker_offline")
  expect(await codeOf(session.publish(destination, Uint8Array.of(1)))).toBe("broker_offline")
  expect(await codeOf(session.subscribe([destination]))).toBe("broker_offline")
})
