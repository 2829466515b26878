import { eventually, FakeClock } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { errorOf } from "../testing/error-of.ts"
import { openTestPort, passTime } from "./testing/open-test-port.ts"
import type { TestDeviceServer } from "./testing/test-device-server.ts"

describe("what keeps an rfc2217:// port from opening is one clear sentence:", () => {
  test("a service that passes bare bytes says nothing for three seconds", async () => {
    const clock = new FakeClock()
    const { server, opening } = await openTestPort({ opening: "68656c6c6f" }, clock)
    await eventually(() => expect(server.connections).toBe(1))
    expect(await passTime(clock, errorOf(opening))).toMatchObject({
      code: "open_failed",
      message: `${server.url} speaks no RFC 2217; if it passes bare bytes, use tcp:// instead of rfc2217://.`,
    })
    await eventually(() => expect(server.connections).toBe(0))
    expect(clock.pendingTimers).toBe(0)
  })

  test("a telnet server refuses", async () => {
    const { server, opening, heard } = await openTestPort({ opening: "fffe2c" })
    await expect(opening).rejects.toMatchObject({
      code: "open_failed",
      message: expect.stringContaining(`${server.url} speaks no RFC 2217`),
    })
    expect(heard.closes).toEqual([])
  })

  test("the server hangs up, with what it says", async () => {
    const words = Buffer.from("Port already in use\r\n").toString("hex")
    const { server, opening } = await openTestPort({ opening: words })
    await eventually(() => expect(server.connections).toBe(1))
    server.hangUp()
    await expect(opening).rejects.toMatchObject({
      code: "open_failed",
      message: `${server.url} cannot be opened: the device server closed the connection. It said: Port already in use.`,
    })
  })

  test("the server hangs up after its first answer, when words may be those of the device", async () => {
    const answer = (_body: string, { requests }: TestDeviceServer) =>
      requests.includes("0208") ? null : undefined
    const { server, opening } = await openTestPort({ answer })
    await eventually(() => expect(server.requests).toContain("0a02"))
    await server.send(Buffer.from("password: secret\r\n").toString("hex"))
    server.hangUp()
    await expect(opening).rejects.toMatchObject({
      code: "open_failed",
      message: `${server.url} cannot be opened: the device server closed the connection.`,
    })
  })

  test("the server keeps another baud rate", async () => {
    const answer = (body: string) => (body.startsWith("01") ? "6500002580" : undefined)
    const { server, opening } = await openTestPort({ answer })
    await expect(opening).rejects.toMatchObject({
      code: "open_failed",
      message: `${server.url} does not take baudRate 115200 (it has 9600); set the device's baudRate to one that it takes.`,
    })
    // Nothing else was changed.
    expect(server.requests.filter((body) => !body.startsWith("01"))).toEqual([])
  })

  test("the server answers nothing", async () => {
    const clock = new FakeClock()
    const { server, opening } = await openTestPort({ answer: () => null }, clock)
    const problem = errorOf(opening)
    await eventually(() => expect(server.requests).not.toEqual([]))
    await server.send("6d6f6f")
    await server.untilHeard()
    expect(await passTime(clock, problem)).toMatchObject({
      code: "open_failed",
      message: `${server.url} cannot be opened: The device server did not answer within 3 s.`,
    })
  })
})
