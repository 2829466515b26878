import { concatBytes } from "@serialcast/primitives"
import { connectPacket, publishedPayloads, publishPacket, subscribePacket } from "./mqtt-packets.ts"
import { Peer } from "./peer.ts"
import { encodeText } from "./surface.ts"
import { binaryPayloads, encodeFrame, handshake } from "./websocket-frames.ts"

/** Where the gateway is, and a device of it that sends back what it gets. */
export interface ProbedGateway {
  readonly httpUrl: string
  readonly pagePort: number
  readonly brokerPort: number
  readonly rawPort: number
  readonly telnetPort: number
  readonly adminUrl: string
  /** `<gateway>/<device>` */
  readonly device: string
}

/** Longer than any answer takes: it is a failure then, and no figure. */
const hangMs = 20_000

type Probe = (gateway: ProbedGateway, marker: string) => Promise<void>

const probes: Readonly<Record<string, Probe>> = {
  health: async ({ adminUrl, httpUrl }) => {
    for (const url of [`${adminUrl}/healthz`, `${adminUrl}/readyz`, `${httpUrl}/api/v1/devices`])
      await fetchOk(url)
  },
  HTTP: async ({ httpUrl, device }, marker) => {
    const path = `/api/v1/devices/${device}`
    using events = new Peer(Number(new URL(httpUrl).port))
    events.send(encodeText(`GET ${path}/stream HTTP/1.1\r\nHost: localhost\r\n\r\n`))
    await events.until((received) => textOf(received).includes("event: open"), hangMs)
    await fetchOk(`${httpUrl}${path}/write`, { method: "POST", body: marker })
    const hex = Buffer.from(marker).toString("hex").toUpperCase()
    await events.until((received) => hexOf(received).includes(hex), hangMs)
  },
  WebSocket: async ({ pagePort, device }, marker) => {
    using socket = new Peer(pagePort)
    const target = `/ws?device=${device}`
    socket.send(encodeText(handshake({ target, protocol: "serialcast.v1" })))
    await socket.until((received) => textOf(received).includes('"type":"open"'), hangMs)
    socket.send(encodeFrame(encodeText(marker), { opcode: 2 }))
    await socket.until(
      (received) =>
        holds(
          binaryPayloads(received).map((bytes) => bytes.subarray(8)),
          marker,
        ),
      hangMs,
    )
  },
  MQTT: async ({ brokerPort, device }, marker) => {
    using client = await subscribed(brokerPort, "probe-topics", `serialcast/${device}/rx`)
    client.send(publishPacket(encodeText(`serialcast/${device}/tx`), encodeText(marker)))
    await client.until((received) => holds(publishedPayloads(received), marker), hangMs)
  },
  calls: async ({ brokerPort, device }, marker) => {
    using client = await subscribed(brokerPort, "probe-calls", "serialcast/_clients/probe-calls/reply")
    const call = encodeText(JSON.stringify({ id: marker, text: marker }))
    client.send(publishPacket(encodeText(`serialcast/${device}/call/write/probe-calls`), call))
    await client.until((received) => holds(publishedPayloads(received), `"id":"${marker}","ok":true`), hangMs)
  },
  raw: ({ rawPort }, marker) => echo(rawPort, marker),
  telnet: ({ telnetPort }, marker) => echo(telnetPort, marker),
}

/** Asks for its health, and writes to the device by every way in, at the same time; answers how long each took, in ms. */
export async function probe(gateway: ProbedGateway, round: number): Promise<ReadonlyMap<string, number>> {
  const took = new Map<string, number>()
  const startMs = performance.now()
  const run = async ([name, ask]: [string, Probe]) => {
    try {
      await ask(gateway, `<${name}-${round}>`)
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : String(cause)
      throw new Error(`probe ${round} of ${name}: ${text}`, { cause })
    }
    took.set(name, performance.now() - startMs)
  }
  await Promise.all(Object.entries(probes).map(run))
  return took
}

async function fetchOk(url: string, init: RequestInit = {}): Promise<void> {
  const headers = { Connection: "close" }
  const response = await fetch(url, { ...init, headers, signal: AbortSignal.timeout(hangMs) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`)
}

async function subscribed(port: number, client: string, topic: string): Promise<Peer> {
  const peer = new Peer(port)
  peer.send(connectPacket(client), subscribePacket(topic))
  // CONNACK has four bytes, SUBACK five.
  await peer.until((received) => received.byteLength >= 9, hangMs)
  return peer
}

async function echo(port: number, marker: string): Promise<void> {
  using client = new Peer(port)
  client.send(encodeText(marker))
  await client.until((received) => textOf(received).includes(marker), hangMs)
}

function holds(payloads: readonly Uint8Array[], text: string): boolean {
  return textOf(concatBytes(payloads)).includes(text)
}

/** All bytes of the events of a stream, in hexadecimal. */
function hexOf(received: Uint8Array): string {
  return [...textOf(received).matchAll(/^data: ([0-9A-F]+)$/gm)].map(([, hex]) => hex).join("")
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes)
}
