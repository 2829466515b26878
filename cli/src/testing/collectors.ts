import { concatBytes, decodeHex } from "@serialcast/primitives"
import { connectAsync } from "mqtt"
import { WebSocket } from "ws"

/** A consumer that stands; `done` resolves with the first bytes it is to collect. */
export interface Collector {
  /** Bytes so far. */
  received(): number
  readonly done: Promise<Uint8Array>
}

class Collection {
  readonly #parts: Uint8Array[] = []
  readonly #wanted: number
  #size = 0

  get size(): number {
    return this.#size
  }

  constructor(wanted: number) {
    this.#wanted = wanted
  }

  /** The whole when `bytes` completed it. */
  add(bytes: Uint8Array): Uint8Array | undefined {
    this.#parts.push(bytes)
    this.#size += bytes.byteLength
    return this.#size >= this.#wanted ? concatBytes(this.#parts) : undefined
  }
}

/** Reads `event: bytes` of an event stream as a line reader would that knows nothing else of it. */
export async function collectSse(url: string, wanted: number): Promise<Collector> {
  const leaving = new AbortController()
  const response = await fetch(url, { signal: leaving.signal })
  if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`)
  const lines = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(splitLines())
  const collection = new Collection(wanted)
  const done = (async () => {
    let event = ""
    for await (const line of lines) {
      if (line.startsWith("event: ")) event = line.slice(7)
      const hex = line.startsWith("data: ") && event === "bytes" ? line.slice(6) : undefined
      const whole = hex === undefined ? undefined : collection.add(decodeHex(hex) ?? new Uint8Array(0))
      if (whole !== undefined) return whole
      if (event === "gap") throw new Error(`a gap: ${line}`)
    }
    throw new Error("the stream ended")
  })()
  return { received: () => collection.size, done: done.finally(() => leaving.abort()) }
}

function splitLines(): TransformStream<string, string> {
  let rest: string[] = []
  return new TransformStream({
    transform(text, controller) {
      const [first = "", ...others] = text.split("\n")
      rest.push(first)
      for (const line of others) {
        controller.enqueue(rest.join(""))
        rest = [line]
      }
    },
  })
}

/** Reads the binary frames of `serialcast.v1`, and checks that each starts at the offset where the last one ended. */
export async function collectWebSocket(url: string, wanted: number): Promise<Collector> {
  const socket = new WebSocket(url, "serialcast.v1")
  socket.binaryType = "arraybuffer"
  const collection = new Collection(wanted)
  let next: bigint | undefined
  let opened = () => {}
  const standing = new Promise<void>((resolve) => (opened = resolve))
  const done = new Promise<Uint8Array>((resolve, reject) => {
    socket.on("error", reject)
    socket.on("close", () => reject(new Error("the socket closed")))
    socket.on("message", (data, isBinary) => {
      if (!isBinary) {
        const message = new TextDecoder().decode(data as ArrayBuffer)
        if (message.includes('"type":"gap"')) reject(new Error(message))
        return opened()
      }
      const offset = new DataView(data as ArrayBuffer).getBigUint64(0)
      const bytes = new Uint8Array(data as ArrayBuffer, 8)
      if (next !== undefined && next !== offset) reject(new Error(`expected offset ${next}, found ${offset}`))
      next = offset + BigInt(bytes.byteLength)
      const whole = collection.add(bytes)
      if (whole !== undefined) resolve(whole)
    })
  })
  await Promise.race([standing, done])
  return { received: () => collection.size, done: done.finally(() => socket.close()) }
}

export async function collectMqtt(url: string, topic: string, wanted: number): Promise<Collector> {
  const client = await connectAsync(url)
  const collection = new Collection(wanted)
  const done = new Promise<Uint8Array>((resolve, reject) => {
    client.on("close", () => reject(new Error("the broker cut the client off")))
    client.on("message", (_topic, payload) => {
      const whole = collection.add(payload)
      if (whole !== undefined) resolve(whole)
    })
  })
  await client.subscribeAsync(topic)
  return { received: () => collection.size, done: done.finally(() => void client.endAsync()) }
}
