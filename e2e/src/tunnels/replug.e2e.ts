import { once } from "node:events"
import { createServer } from "node:net"
import { join } from "node:path"
import { freePort } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { layCable, plugInEcho } from "./plugged-device.ts"
import { startTunnels } from "./start-tunnels.ts"
import { createWorkplace, type WorkplaceProgram } from "./workplace.ts"

/** The numbers that stand in lines like `silent 17`, or `tick 17`. */
const numbersIn = (lines: readonly string[]) => lines.map((line) => Number(/\d+$/.exec(line)?.[0]))

/** Waits until a client has said this once more, and answers the number of its tick. */
async function nextTick(client: WorkplaceProgram, what: RegExp): Promise<number> {
  return numbersIn([await client.said(what, client.lines.length)])[0] ?? Number.NaN
}

test.for(["raw", "rfc2217"])(
  "a %s client that sends while its device is unplugged is cut off, and the device gets nothing of meanwhile",
  async (type) => {
    const place = await createWorkplace()
    const path = join(place.folder, "board")
    const port = await freePort()
    const plugged = await plugInEcho(place, path)
    const config = `
devices: { board: { port: ${path} } }
tunnels: [{ type: ${type}, listen: "127.0.0.1:${port}", device: local/board }]`
    const gateway = await startTunnels(config, "local/board")
    const url = `${type === "raw" ? "socket" : type}://127.0.0.1:${port}`
    const script = join(import.meta.dirname, "ticking-client.py")
    const client = place.start(`python3 ${script} ${url}`)
    await nextTick(client, /^echoed/)
    await plugged.unplug()
    await client.said(/^ended/)
    await client.ended
    const again = await plugInEcho(place, path)
    await gateway.untilOnline("local/board")
    const next = place.start(`python3 ${script} ${url}`)
    await nextTick(next, /^echoed/)
    const received = numbersIn((await again.received()).trim().split("\n"))
    expect(received).toEqual(received.map((_, at) => at))
  },
)

test("through a cable that was pulled and laid anew, connections work again, and bring nothing of before", async () => {
  const place = await createWorkplace()
  const [one, other] = [join(place.folder, "one"), join(place.folder, "other")]
  const heard: string[] = []
  const target = createServer((socket) => {
    // Where the cable is pulled, the tunnel resets its connection.
    socket.on("error", () => {}).pipe(socket)
    socket.once("data", (bytes: Uint8Array) => heard.push(new TextDecoder().decode(bytes)))
  }).listen(0, "127.0.0.1")
  onTestFinished(() => void target.close())
  await once(target, "listening")
  const address = target.address()
  const targetPort = typeof address === "object" ? address?.port : undefined
  const port = await freePort()
  const cable = await layCable(place, one, other)
  await startTunnels(
    `
devices: { cable: { port: ${one} } }
tunnels: [{ type: serialtcp-server, listen: "127.0.0.1:${port}", device: local/cable }]`,
    "local/cable",
  )
  await startTunnels(
    `
devices: { cable: { port: ${other} } }
tunnels: [{ type: serialtcp-client, connect: "127.0.0.1:${targetPort}", device: local/cable }]`,
    "local/cable",
  )
  const script = join(import.meta.dirname, "ticking-client.py")
  const client = place.start(`python3 ${script} socket://127.0.0.1:${port}`)
  await nextTick(client, /^echoed/)
  await cable.unplug()
  await client.said(/^ended/)
  await client.ended

  await layCable(place, one, other)
  const next = place.start(`python3 ${script} socket://127.0.0.1:${port}`)
  await next.said(/^(echoed|other)/)
  expect(next.lines.filter((line) => line.startsWith("other"))).toEqual([])
  expect(heard).toEqual(["tick 0\n", expect.stringMatching(/^tick 0\n/)])
})
