import {
  concatBytes,
  createDeferred,
  createWakeup,
  decodeHex,
  systemClock,
  withDeadline,
} from "@serialcast/primitives"
import { WebSocket } from "ws"
import { startProgram } from "./program.ts"

/** A real client that reads a device. */
export interface Reader extends AsyncDisposable {
  /** The next `count` bytes that it received. Throws when they do not come in time. */
  take(count: number): Promise<Uint8Array>
}

/** A chunk that came; "ready" when nothing after this can be missed. */
type News = Uint8Array | "ready" | null

const timeoutMs = 30_000

/** `curl -N` on an SSE stream with the default encoding, hex. */
export function readByCurl(url: string, token: string): Promise<Reader> {
  let event = ""
  return readLines("curl", ["-sSN", "-H", `Authorization: Bearer ${token}`, url], (line) => {
    if (line.startsWith("event: ")) event = line.slice("event: ".length)
    if (!line.startsWith("data: ")) return null
    if (event === "bytes") return hexBytes(line.slice("data: ".length))
    return event === "open" ? "ready" : null
  })
}

/** `mosquitto_sub` on the bytes of a device. */
export function readByMosquitto(port: number, token: string, topic: string): Promise<Reader> {
  // The retained state comes after the broker has taken both subscriptions.
  const topics = ["-t", `${topic}/rx`, "-t", `${topic}/state`]
  const login = ["-p", String(port), "-u", "e2e", "-P", token]
  return readLines("mosquitto_sub", [...login, ...topics, "-F", "%t %X"], (line) => {
    const [from = "", hex = ""] = line.split(" ")
    return from === `${topic}/rx` ? hexBytes(hex) : "ready"
  })
}

/** A WebSocket with the sub-protocol that carries offsets. */
export async function readByWebSocket(url: string, token: string): Promise<Reader> {
  const socket = new WebSocket(url, "serialcast.v1", { headers: { Authorization: `Bearer ${token}` } })
  const inbox = createInbox()
  let next = 0
  socket.on("error", (error) => inbox.end(error.message))
  socket.on("close", () => inbox.end("closed"))
  socket.on("message", (data, isBinary) => {
    if (!(data instanceof Uint8Array)) throw new Error("Expected ws to answer one Buffer for each message.")
    if (!isBinary) {
      next = openedAt(data) ?? next
      return inbox.push("ready")
    }
    const { offset, bytes } = parseFrame(data)
    if (offset !== next) {
      inbox.end(`expected the bytes from ${next} on, found those from ${offset} on`)
      return socket.terminate()
    }
    next += bytes.byteLength
    inbox.push(bytes)
  })
  await inbox.untilReady()
  return {
    take: (count) => inbox.take(count),
    async [Symbol.asyncDispose]() {
      socket.terminate()
    },
  }
}

/** Of the message `open`, where the reading starts: its cursor is `<epoch>-<offset>`, or `<epoch>-<offset>.<mark>`. */
function openedAt(message: Uint8Array): number | undefined {
  const { type, cursor = "" }: { type?: string; cursor?: string } = JSON.parse(
    new TextDecoder().decode(message),
  )
  return type === "open" ? Number(/-([0-9]+)/.exec(cursor)?.[1]) : undefined
}

/** The offset of the first byte (8 bytes, unsigned, big-endian), then the bytes. */
function parseFrame(frame: Uint8Array): { offset: number; bytes: Uint8Array } {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  return { offset: Number(view.getBigUint64(0)), bytes: frame.subarray(8) }
}

async function readLines(
  program: string,
  args: readonly string[],
  parse: (line: string) => News,
): Promise<Reader> {
  const inbox = createInbox()
  const running = startProgram(program, args, (line) => inbox.push(parse(line)))
  const ended = running.ended.then(({ said }) => inbox.end(`${program} ended: ${said}`))
  await inbox.untilReady()
  return {
    take: (count) => inbox.take(count),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      await ended
    },
  }
}

function hexBytes(text: string): Uint8Array {
  const bytes = decodeHex(text)
  if (bytes === undefined) throw new Error(`Expected hex, found ${text.slice(0, 100)}.`)
  return bytes
}

function createInbox() {
  const ready = createDeferred<void>()
  const changed = createWakeup()
  let unread: readonly Uint8Array[] = []
  let unreadBytes = 0
  let end: string | undefined
  return {
    push(news: News): void {
      if (news === "ready") ready.resolve()
      if (!(news instanceof Uint8Array)) return
      unread = [...unread, news]
      unreadBytes += news.byteLength
      changed.wake()
    },
    end(reason: string): void {
      end ??= reason
      ready.reject(new Error(reason))
      changed.wake()
    },
    async untilReady(): Promise<void> {
      const error = () => new Error(`The reader was not ready within ${timeoutMs} ms.`)
      await withDeadline(ready.promise, { clock: systemClock, timeoutMs, error })
    },
    async take(count: number): Promise<Uint8Array> {
      const signal = AbortSignal.timeout(timeoutMs)
      while (unreadBytes < count) {
        const found = `${unreadBytes} of ${count} bytes`
        if (end !== undefined) throw new Error(`${found} came before the end: ${end}`)
        if (signal.aborted) throw new Error(`${found} came within ${timeoutMs} ms.`)
        await changed.wait({ signal })
      }
      const all = concatBytes(unread)
      unread = [all.subarray(count)]
      unreadBytes = all.byteLength - count
      return all.subarray(0, count)
    },
  }
}
