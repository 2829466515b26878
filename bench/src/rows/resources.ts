import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { freePort } from "@serialcast/testkit"
import type { Gateway } from "../rig/gateway.ts"
import { nowNs, readUsage } from "../rig/process-usage.ts"
import { startProgram } from "../rig/program.ts"
import type { Rig } from "../rig/rig.ts"
import type { Row } from "../row.ts"

const constantServer = fileURLToPath(new URL("../rig/constant-server.ts", import.meta.url))
const connections = 16
const rounds = 3
const roundMs = 2_000
const warmUpMs = 1_000
const many = 10_000
const atOnce = 32
const value = JSON.stringify({ celsius: 21.5, humidity: 40 })

/** What a resource costs beside the least that a web server of the same kind can do. */
export const resources: Row = {
  name: "resources",
  what: `a JSON value of ${value.length} bytes by GET over ${connections} connections, beside an Express handler that answers a constant, in turn; and ${many} resources: what they take of memory, and how long all of them take to be there again after kill -9`,
  figures: [
    {
      name: "GET",
      unit: "/s",
      isBetter: "higher",
      floor: { times: 0.5, of: "Express: GET" },
      reference: "Express: GET",
    },
    { name: "Express: GET", unit: "/s", isBetter: "higher" },
    { name: "made", unit: "/s", isBetter: "higher" },
    { name: "memory of 10,000", unit: "MB", isBetter: "lower" },
    { name: "start with none", unit: "s", isBetter: "lower" },
    { name: "start with 10,000", unit: "s", isBetter: "lower" },
  ],
  async run(rig) {
    const rates = await compare(rig)
    return { ...rates, ...(await fill(rig)) }
  },
}

async function compare(rig: Rig): Promise<Record<"GET" | "Express: GET", number>> {
  await using gateway = await rig.startGateway({ ports: [] })
  await make(gateway, "/value")
  await using express = await startExpress()
  const ports = [Number(new URL(gateway.resourcesUrl).port), express.port] as const
  const counts: [number, number] = [0, 0]
  for (const port of ports) await countAnswers(port, rig.scaled(warmUpMs))
  for (let round = 0; round < rounds; round++) {
    counts[0] += await countAnswers(ports[0], rig.scaled(roundMs))
    counts[1] += await countAnswers(ports[1], rig.scaled(roundMs))
  }
  const seconds = (rounds * rig.scaled(roundMs)) / 1_000
  return { GET: counts[0] / seconds, "Express: GET": counts[1] / seconds }
}

/** How often `/value` is answered in this time, over all connections, each of which asks again at once. */
async function countAnswers(port: number, ms: number): Promise<number> {
  let answers = 0
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)))
  for (const { socket, answerBytes } of sockets) {
    let bytes = 0
    socket.on("data", (chunk) => {
      bytes += chunk.byteLength
      if (bytes < answerBytes) return
      bytes -= answerBytes
      answers++
      socket.write(request)
    })
    socket.write(request)
  }
  await sleep(ms)
  for (const { socket } of sockets) socket.destroy()
  return answers
}

const request = "GET /value HTTP/1.1\r\nHost: localhost\r\n\r\n"

/** A connection, with the size of an answer: they are all alike. */
async function open(port: number): Promise<{ readonly socket: Socket; readonly answerBytes: number }> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true })
  await once(socket, "connect")
  socket.write(request)
  let answer = ""
  while (!answer.endsWith(value)) answer += String((await once(socket, "data"))[0])
  if (!answer.startsWith("HTTP/1.1 200 ")) throw new Error(`answered ${answer.slice(0, 200)}`)
  return { socket, answerBytes: Buffer.byteLength(answer) }
}

async function startExpress(): Promise<AsyncDisposable & { readonly port: number }> {
  const port = await freePort()
  let up = () => {}
  const standing = new Promise<void>((resolve) => (up = resolve))
  const options = { onLine: (line: string) => line === "up" && up() }
  const running = await startProgram(
    process.execPath,
    ["--import", "tsx", constantServer, `${port}`, value],
    options,
  )
  await Promise.race([standing, running.ended.then((how) => Promise.reject(new Error(how)))])
  return { port, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
}

async function fill(rig: Rig): Promise<Record<string, number>> {
  const count = rig.scaled(many)
  const retained = rig.emptyPath("retained")
  const start = async () => {
    const begunNs = nowNs()
    const gateway = await rig.startGateway({
      ports: [],
      canCollect: true,
      retained,
      resources: { maxUri: count },
      clientBuffer: "40MiB",
    })
    return { gateway, seconds: () => (nowNs() - begunNs) / 1e9 }
  }
  const first = await start()
  await countResources(first.gateway, 0)
  const empty = first.seconds()
  await first.gateway.collectGarbage()
  const before = await readUsage(first.gateway.pid)
  const begunNs = nowNs()
  let next = 0
  const maker = async () => {
    while (next < count) await make(first.gateway, `/r/${next++}`)
  }
  await Promise.all(Array.from({ length: atOnce }, maker))
  const made = count / ((nowNs() - begunNs) / 1e9)
  await first.gateway.collectGarbage()
  const after = await readUsage(first.gateway.pid)
  await first.gateway.kill()
  const again = await start()
  await using _again = again.gateway
  await countResources(again.gateway, count)
  return {
    made,
    "memory of 10,000": (after.residentBytes - before.residentBytes) / 1e6,
    "start with none": empty,
    "start with 10,000": again.seconds(),
  }
}

async function make({ resourcesUrl }: Gateway, uri: string): Promise<void> {
  const body = JSON.stringify({ uri, contentType: "application/json", value })
  const made = await fetch(`${resourcesUrl}/api/v1/resources`, { method: "POST", body })
  if (made.status !== 201) throw new Error(`${made.status}: ${await made.text()}`)
  await made.arrayBuffer()
}

/** As soon as the server answers, it has all of them. */
async function countResources({ resourcesUrl }: Gateway, expected: number): Promise<void> {
  const listed = await fetch(`${resourcesUrl}/api/v1/resources`)
  const { resources: found } = (await listed.json()) as { readonly resources: readonly unknown[] }
  if (found.length !== expected) throw new Error(`there are ${found.length} of ${expected} resources`)
}
