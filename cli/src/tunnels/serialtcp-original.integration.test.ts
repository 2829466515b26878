import { once } from "node:events"
import { checkCounting, countingBytes } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { startTestAll } from "../testing/start-test-all.ts"
import { connectRaw, portOf } from "./testing/raw-client.ts"
import { clientTunnel, serverTunnel, startTarget } from "./testing/serialtcp-cable.ts"
import { startOriginalClient, startOriginalServer } from "./testing/serialtcp-original.ts"

const ascii = (text: string) => new TextEncoder().encode(text)
const bytes = countingBytes(0, 100_000)

describe("the server's end, with the existing program as the client", () => {
  test("connections come through one after the other, whole, and end on either side", async () => {
    await using target = await startTarget((socket) => void socket.pipe(socket))
    await using running = await startTestAll({}, { tunnels: [serverTunnel()] })
    await using _original = await startOriginalClient(running.pty, target.port)
    for (let times = 0; times < 3; times++) {
      const client = await connectRaw(portOf(running.all))
      client.socket.write(bytes)
      checkCounting(await client.read(bytes.byteLength), 0)
      client.socket.end()
      expect(await client.ended).toBe("fin")
    }
  })

  test("what its target says last is delivered, though the program leaves no silence after it", async () => {
    await using target = await startTarget((socket) => void socket.end("goodbye"))
    await using running = await startTestAll({}, { tunnels: [serverTunnel()] })
    await using _original = await startOriginalClient(running.pty, target.port)
    const client = await connectRaw(portOf(running.all))
    expect(await client.read(7)).toEqual(ascii("goodbye"))
    expect(await client.ended).toBe("fin")
    client.socket.end()
  })

  test("its target's refusal resets the client", async () => {
    const gone = await startTarget()
    await gone[Symbol.asyncDispose]()
    await using running = await startTestAll({}, { tunnels: [serverTunnel()] })
    await using _original = await startOriginalClient(running.pty, gone.port)
    const client = await connectRaw(portOf(running.all))
    expect(await client.ended).toBe("reset")
  })
})

describe("the client's end, with the existing program as the server", () => {
  test("connections come through one after the other, whole, and end on either side", async () => {
    await using target = await startTarget((socket) => void socket.pipe(socket))
    await using running = await startTestAll(
      {},
      { tunnels: [clientTunnel(target.port, { device: "local/pty" })] },
    )
    await using original = await startOriginalServer(running.pty)
    for (let times = 0; times < 2; times++) {
      const client = await connectRaw(original.port)
      client.socket.write(bytes)
      checkCounting(await client.read(bytes.byteLength), 0)
      client.socket.end()
      expect(await client.ended).toBe("fin")
      await once(target.sockets[times]!, "close")
    }
  })

  test("what the target says last arrives, because the line is silent before its end is told", async () => {
    await using target = await startTarget((socket) => void socket.end("goodbye"))
    await using running = await startTestAll(
      {},
      { tunnels: [clientTunnel(target.port, { device: "local/pty" })] },
    )
    await using original = await startOriginalServer(running.pty)
    const client = await connectRaw(original.port)
    expect(await client.read(7)).toEqual(ascii("goodbye"))
    expect(await client.ended).toBe("fin")
    client.socket.end()
  })
})
