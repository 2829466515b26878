import { once } from "node:events"
import { connect } from "node:net"
import { eventually, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { startTestGateway } from "../testing/test-gateway.ts"

test("a body that is to be written whole, and does not come within five minutes, is given up", async () => {
  const clock = new FakeClock()
  await using gateway = await startTestGateway({}, { clock })
  const socket = connect(gateway.port, "127.0.0.1")
  await once(socket, "connect")
  socket.write(
    "POST /api/v1/devices/local/uno/write HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nbegin",
  )
  await eventually(() => expect(clock.pendingTimers).toBe(1))
  clock.advance(299_999)
  expect(socket.destroyed).toBe(false)
  clock.advance(1)
  await once(socket.resume(), "close")
  await eventually(() => expect(clock.pendingTimers).toBe(0))
})
