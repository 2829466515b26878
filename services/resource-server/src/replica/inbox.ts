import { type Clock, createWakeup, longAgo, type MonotonicMs } from "@serialcast/primitives"
import { type Hello, type Part, parseMessage, type ReplicaAnswer, type ReplicaMessage } from "./messages.ts"
import { parseShard } from "./shards.ts"

// A server that cannot say what it knows so fast is asked again.
const maxBuffered = 10_000
// More than there can be; what else is there is somebody's who floods.
const maxWords = 65_536
// Of one answer, each as long as a message may be.
const maxParts = 4_096

/** What one who comes hears until it knows all: what the broker kept, what is said meanwhile, and who answers. */
export class Inbox {
  readonly #clock: Clock
  readonly #by: string
  readonly #news = createWakeup()
  readonly #words = new Map<string, string>()
  readonly #shards = new Map<string, Uint8Array>()
  #lastWord: MonotonicMs = longAgo
  /** Of the last hello. */
  #id: string | null = null
  #buffered: ReplicaMessage[] | null = null
  #parts: Part[] = []
  #from: string | null = null

  constructor(clock: Clock, by: string) {
    this.#clock = clock
    this.#by = by
  }

  /** Wakes whoever waits for something to come. */
  get news(): Pick<ReturnType<typeof createWakeup>, "wait"> {
    return this.#news
  }

  /** What stands on the topics of resources. */
  get words(): ReadonlyMap<string, string> {
    return this.#words
  }

  /** What stands on the topics of the index. */
  get shards(): ReadonlyMap<string, Uint8Array> {
    return this.#shards
  }

  /** What the index has of which nothing came. */
  get missing(): string[] {
    return [...this.#shards.values()].flatMap(parseShard).filter((uri) => !this.#words.has(uri))
  }

  /** When the last message came that the broker had kept. */
  get lastWord(): MonotonicMs {
    return this.#lastWord
  }

  /** Everything that was said since the hello, which is known to be heard; null: it is not yet, or too much was said. */
  get buffered(): readonly ReplicaMessage[] | null {
    return this.#buffered
  }

  /** Who knows all that was said before the hello. */
  get from(): string | null {
    return this.#from
  }

  /** The answer to the hello; null: it is not whole yet. */
  get answer(): readonly Part[] | null {
    const [first] = this.#parts
    return first !== undefined && this.#parts.length === first.parts ? this.#parts : null
  }

  /** How much of the answer came. */
  get partCount(): number {
    return this.#parts.length
  }

  /** Whether anybody else is at work. */
  get isAlone(): boolean {
    return this.#buffered?.every(({ kind, by }) => by === this.#by || kind === "hello") ?? false
  }

  heardWord(uri: string, text: string, isKept: boolean): void {
    if (isKept) this.#lastWord = this.#clock.monotonicMs()
    if (text === "") this.#words.delete(uri)
    else if (this.#words.size < maxWords || this.#words.has(uri)) this.#words.set(uri, text)
    this.#news.wake()
  }

  heardShard(shard: string, payload: Uint8Array): void {
    this.#lastWord = this.#clock.monotonicMs()
    this.#shards.set(shard, payload)
    this.#news.wake()
  }

  heardMessage(message: ReplicaMessage): void {
    if (this.#isOwnHello(message)) this.#buffered = []
    else this.#buffered?.push(message)
    if ((this.#buffered?.length ?? 0) > maxBuffered) this.#buffered = null
    this.#news.wake()
  }

  heardAnswer(answer: ReplicaAnswer): void {
    if (answer.id !== this.#id) return
    if (answer.kind === "here") this.#from ??= answer.from
    else if (answer.from === this.#from && answer.part === this.#parts.length && answer.part < maxParts)
      this.#parts.push(answer)
    this.#news.wake()
  }

  /** A hello goes out: what was an answer to an earlier one is none. */
  begin({ id }: Hello): void {
    this.#id = id
    this.#buffered = null
    this.#parts = []
    this.#from = null
  }

  #isOwnHello({ kind, by, id }: ReplicaMessage): boolean {
    return kind === "hello" && by === this.#by && id === this.#id
  }
}

/** What came on the topic of all; undefined: nothing that a replica says. */
export function readMessage(payload: Uint8Array): ReplicaMessage | undefined {
  try {
    return parseMessage(payload)
  } catch {
    return undefined
  }
}
