import { createDeferred, type Deferred } from "@serialcast/primitives"
import { type Program, startProgram } from "./program.ts"

export type ClientProtocol = "raw" | "websocket" | "sse" | "mqtt"

/** Where a client of a gateway connects, on this machine, and what it asks for. */
export interface Endpoint {
  readonly protocol: ClientProtocol
  readonly port: number
  readonly target: string
}

export interface Feed {
  readonly bytes: number
  /** 0 or absent: as fast as they are read. */
  readonly bytesPerSecond?: number
  /** What the device hands over at a time; default 4,096. */
  readonly chunkBytes?: number
}

export interface Echo {
  readonly count: number
  readonly bytes: number
  /** Between the end of a round trip and the start of the next. */
  readonly pauseMs: number
}

/** A time of `process.hrtime`. */
export interface Moment {
  readonly atNs: number
}

export interface Delays {
  readonly samples: number
  readonly p50Us: number
  readonly p99Us: number
  readonly maxUs: number
}

/** A simulated device at the far end of a pseudo-terminal. */
export interface LoadDevice {
  readonly number: number
  readonly path: string
  /** Sends what follows in the counting pattern; resolves when the kernel took the last byte. */
  feed(feed: Feed): Promise<Moment>
  /** From now on it sends back what it gets. */
  echoBack(): Promise<unknown>
  /** Resolves when it got all bytes before `offset`; throws when they are not the counting pattern. */
  received(offset: number): Promise<Moment>
  /** How many bytes it got in all, a moment later. */
  receivedInAll(): Promise<{ readonly bytes: number }>
  /** From now on each of the two sends what the other one gets, as the ends of a cable. */
  join(other: LoadDevice): Promise<unknown>
  /** vhangup(2), as when a device is unplugged. Needs root; answers when it was. */
  hangUp(): Promise<Moment>
  /** Resolves when the stream stands. From then on every byte is checked against the device's. */
  connect(endpoint: Endpoint): Promise<Consumer>
}

/** A client that reads a device, or the server behind a tunnel. Throws what was wrong with the stream. */
export interface Consumer {
  /** Resolves when it has all bytes before `offset`. */
  until(offset: number): Promise<Moment>
  /** Writes, and waits for what the device sends back, again and again. */
  roundTrips(echo: Echo): Promise<Moment>
  /** Sends what follows in the counting pattern, raw; resolves when the kernel took the last byte. */
  send(bytes: number): Promise<Moment>
  /** How many bytes it has in all, a moment later: so bytes that come twice at the end are noticed too. */
  settled(): Promise<{ readonly bytes: number }>
  /** It stops reading, and stays connected. */
  freeze(): Promise<unknown>
  disconnect(): Promise<unknown>
}

/** A TCP server of raw bytes. */
export interface LoadServer {
  readonly port: number
  /** The next connection, whose bytes are checked against the counting pattern. */
  accept(device: LoadDevice): Promise<Consumer>
}

/** The load side of a benchmark: `bench/load`, in its own process. */
export interface Load extends AsyncDisposable {
  openDevice(): Promise<LoadDevice>
  serve(): Promise<LoadServer>
  /**
   * Delays of all that came since the last call, by one protocol or by all: from when a paced device sent it, or of each
   * round trip.
   */
  takeDelays(protocol?: ClientProtocol): Promise<Delays>
}

interface ConsumerAnswer {
  readonly consumer: number
}

export async function startLoad(program: string): Promise<Load> {
  const calls = new Calls()
  const running = await startProgram(program, [], { onLine: (line) => calls.answer(line) })
  calls.begin(running)
  let devices = 0
  const consumerOf = ({ consumer: number }: ConsumerAnswer): Consumer => ({
    until: (offset) => calls.ask("until", number, offset),
    roundTrips: ({ count, bytes, pauseMs }) =>
      calls.ask("round-trips", number, count, bytes, Math.round(pauseMs * 1000)),
    send: (bytes) => calls.ask("send", number, bytes),
    settled: () => calls.ask("settled", number),
    freeze: () => calls.ask("freeze", number),
    disconnect: () => calls.ask("disconnect", number),
  })
  return {
    async openDevice() {
      const number = devices++
      const { path } = await calls.ask<{ path: string }>("device")
      return {
        number,
        path,
        feed: ({ bytes, bytesPerSecond = 0, chunkBytes = 4_096 }) =>
          calls.ask("feed", number, bytes, bytesPerSecond, chunkBytes),
        echoBack: () => calls.ask("echo-back", number),
        received: (offset) => calls.ask("received", number, offset),
        receivedInAll: () => calls.ask("received-in-all", number),
        join: (other) => calls.ask("join", number, other.number),
        hangUp: () => calls.ask("hang-up", number),
        connect: async ({ protocol, port, target }) =>
          consumerOf(await calls.ask("connect", number, protocol, port, target)),
      }
    },
    async serve() {
      const { server, port } = await calls.ask<{ server: number; port: number }>("serve")
      return { port, accept: async (device) => consumerOf(await calls.ask("accept", server, device.number)) }
    },
    takeDelays: (protocol) => calls.ask("delays", ...(protocol === undefined ? [] : [protocol])),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
}

/** The questions that the load program has not answered yet. It answers each when it is done. */
class Calls {
  readonly #waiting = new Map<string, Deferred<unknown>>()
  #program: Program | undefined
  #count = 0

  begin(program: Program): void {
    this.#program = program
    void program.ended.then((how) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(how))
    })
  }

  /** The shape of an answer is the load program's promise. */
  ask<Answer>(...words: readonly (string | number)[]): Promise<Answer> {
    const id = String(this.#count++)
    const answer = createDeferred<unknown>()
    this.#waiting.set(id, answer)
    this.#program?.input.write(`${id} ${words.join(" ")}\n`)
    return answer.promise as Promise<Answer>
  }

  answer(line: string): void {
    const [, id = "", text = ""] = /^(\S+) (.*)$/.exec(line) ?? []
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (text.startsWith("! ")) waiting?.reject(new Error(text.slice(2)))
    else waiting?.resolve(JSON.parse(text))
  }
}
