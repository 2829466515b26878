import { once } from "node:events"
import { Duplex, duplexPair } from "node:stream"
import { Aedes } from "aedes"

/** Remembered for assertions; older messages are forgotten beyond either. */
const maxRemembered = 10_000
const maxRememberedBytes = 16 * 1024 * 1024

export interface PublishedMessage {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: number
  readonly retain: boolean
}

export interface MemoryBrokerOptions {
  /** Who may connect; default: everyone. */
  readonly admits?: (username: string | undefined, password: string | undefined) => boolean
  /** Which filters may be subscribed; default: all. */
  readonly grants?: (filter: string) => boolean
}

/** A real MQTT 3.1.1 broker without sockets. */
export interface MemoryBroker extends AsyncDisposable {
  /** The client's end of a new connection, to be handed to an MQTT client as its stream. */
  connect(): Duplex
  /** Serves a connection that came in elsewhere, over TCP say. */
  accept(connection: Duplex): void
  /** Cuts every connection, as a broker's death would; wills fire. The broker goes on and takes new ones. */
  disconnectAll(): Promise<void>
  /** Clients that are logged in. */
  readonly connectedClients: number
  /** What clients published so far (at most the last 10,000), only below `filter` when it is given. */
  published(filter?: string): readonly PublishedMessage[]
}

export async function createMemoryBroker({
  admits = () => true,
  grants = () => true,
}: MemoryBrokerOptions = {}): Promise<MemoryBroker> {
  const messages: PublishedMessage[] = []
  let rememberedBytes = 0
  const broker = await Aedes.createBroker({
    // Before the delivery, so that whoever received a message also finds it in the record.
    authorizePublish(_client, { topic, payload, qos, retain }, done) {
      messages.push({ topic, payload: Uint8Array.from(Buffer.from(payload)), qos, retain })
      rememberedBytes += payload.length
      while (messages.length > maxRemembered || rememberedBytes > maxRememberedBytes) {
        rememberedBytes -= messages.shift()?.payload.byteLength ?? 0
      }
      done()
    },
    authenticate: (_client, username, password, done) => done(null, admits(username, password?.toString())),
    authorizeSubscribe: (_client, subscription, done) =>
      done(null, grants(subscription.topic) ? subscription : null),
  })
  const connections = new Set<readonly [Duplex, Duplex]>()
  const disconnectAll = async () => {
    await Promise.all([...connections].flat().map(close))
  }
  return {
    connect() {
      const pair = duplexPair()
      const [clientEnd, brokerEnd] = pair
      connections.add(pair)
      // A pair's ends do not notice each other's destruction.
      brokerEnd.once("close", () => {
        connections.delete(pair)
        clientEnd.destroy()
      })
      clientEnd.once("close", () => brokerEnd.destroy())
      broker.handle(readLater(brokerEnd))
      return clientEnd
    },
    accept: (connection) => {
      broker.handle(connection)
    },
    disconnectAll,
    get connectedClients() {
      return broker.connectedClients
    },
    published: (filter = "#") => messages.filter(({ topic }) => matchesFilter(topic, filter)),
    async [Symbol.asyncDispose]() {
      await disconnectAll()
      await new Promise<void>((resolve) => broker.close(resolve))
    },
  }
}

/**
 * `connection` as a socket is read: what one read makes room for comes with a later turn. A pair's end has it at once, and
 * aedes 1.2.0, which reads on within a packet to nobody, then loses its place and ends the connection.
 */
function readLater(connection: Duplex): Duplex {
  const later = new Duplex({
    read: () => void connection.resume(),
    write: (bytes, encoding, done) => void connection.write(bytes, encoding, done),
    final: (done) => void connection.end(done),
    destroy(error, done) {
      connection.destroy()
      done(error)
    },
  })
  connection.on("data", (bytes: Uint8Array) => {
    if (!later.push(bytes)) connection.pause()
  })
  connection.once("end", () => later.push(null))
  connection.once("close", () => later.destroy())
  return later
}

async function close(stream: Duplex): Promise<void> {
  if (stream.closed) return
  stream.destroy()
  await once(stream, "close")
}

/** MQTT 3.1.1 §4.7: `+` is one level, `#` the rest, and neither matches a leading `$`. */
function matchesFilter(topic: string, filter: string): boolean {
  if (topic.startsWith("$") && /^[+#]/.test(filter)) return false
  const levels = topic.split("/")
  const wanted = filter.split("/")
  const matches = wanted.every((level, at) => {
    if (level === "#") return true
    return at < levels.length && (level === "+" || level === levels[at])
  })
  return matches && (wanted.at(-1) === "#" || wanted.length === levels.length)
}
