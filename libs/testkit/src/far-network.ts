import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"

/** A TCP server on another machine, as far as the system is concerned. */
export interface FarServer extends Disposable {
  readonly port: number
}

/** A TCP client on another machine, as far as the system is concerned. */
export interface FarClient extends Disposable {
  /** What it was sent so far, in bytes. */
  readonly received: number
}

/**
 * Another machine at the end of a network cable, which can be pulled: nothing comes back from it then, neither bytes nor
 * acknowledgements nor an end. Only root has one.
 */
export interface FarNetwork extends Disposable {
  /** Where its clients reach this machine. */
  readonly host: string
  /** Its own address. */
  readonly farHost: string
  /** A client that is connected to `port` and has sent `sends`. */
  connect(port: number, options?: FarClientOptions): Promise<FarClient>
  /** A server there that reads all it is sent, and answers nothing. */
  listen(): Promise<FarServer>
  pullCable(): void
  plugCableIn(): void
}

export interface FarClientOptions {
  readonly sends?: Uint8Array
  /** Whether it reads. Default: true. */
  readonly reads?: boolean
}

/** Whether this process may have a `FarNetwork`. */
export function mayHaveFarNetwork(): boolean {
  if (process.getuid?.() !== 0) return false
  try {
    ip("netns list")
    return true
  } catch {
    return false
  }
}

/** Names and addresses are of this process: others may have theirs at the same time. */
export function createFarNetwork(): FarNetwork {
  const id = `far${process.pid}`
  // Of the range for tests of networks (RFC 2544), four addresses for each process.
  const first = (process.pid * 4) % 0x2_0000
  const address = (at: number) => `198.${18 + (first >> 16)}.${(first >> 8) & 0xff}.${(first & 0xff) + at}`
  const [host, farHost] = [address(1), address(2)]
  ip(`netns add ${id}`)
  ip(`link add ${id}n type veth peer name ${id}f netns ${id}`)
  ip(`addr add ${host}/30 dev ${id}n`)
  ip(`link set ${id}n up`)
  ip(`-n ${id} addr add ${farHost}/30 dev ${id}f`)
  ip(`-n ${id} link set ${id}f up`)
  const programs = new Set<Disposable>()
  return {
    host,
    farHost,
    async connect(port, options) {
      const client = await startClient(id, { host, port, ...options })
      programs.add(client)
      return client
    },
    async listen() {
      const server = await startServer(id)
      programs.add(server)
      return server
    },
    // What comes in is still taken there; it is the answers that find no way.
    pullCable: () => ip(`-n ${id} route add blackhole ${host}/32`),
    plugCableIn: () => ip(`-n ${id} route del blackhole ${host}/32`),
    [Symbol.dispose]() {
      for (const program of programs) program[Symbol.dispose]()
      ip(`link del ${id}n`)
      ip(`netns del ${id}`)
    },
  }
}

async function startClient(
  id: string,
  { host, port, sends = new Uint8Array(0), reads = true }: FarClientOptions & { host: string; port: number },
): Promise<FarClient> {
  const program = `
    const socket = require("node:net").connect(${port}, "${host}", () => {
      socket.write(Buffer.from("${Buffer.from(sends).toString("hex")}", "hex"), () => process.send(0))
    })
    let received = 0
    if (${reads}) socket.on("data", (bytes) => process.send((received += bytes.byteLength)))
    socket.on("error", () => {}).on("close", () => {})
    setInterval(() => {}, 1e6)
  `
  const child = spawnThere(id, program)
  let received = 0
  child.on("message", (count) => {
    received = Math.max(received, Number(count))
  })
  await once(child, "message")
  return {
    get received() {
      return received
    },
    [Symbol.dispose]: () => void child.kill("SIGKILL"),
  }
}

async function startServer(id: string): Promise<FarServer> {
  const child = spawnThere(
    id,
    `
    const server = require("node:net").createServer((socket) => socket.on("error", () => {}).resume())
    server.listen(0, () => process.send(server.address().port))
  `,
  )
  const [port] = await once(child, "message")
  return { port: Number(port), [Symbol.dispose]: () => void child.kill("SIGKILL") }
}

function spawnThere(id: string, program: string): ChildProcess {
  const args = ["netns", "exec", id, process.execPath, "-e", program]
  return spawn("ip", args, { stdio: ["ignore", "inherit", "inherit", "ipc"] })
}

function ip(words: string): void {
  execFileSync("ip", words.split(" "), { stdio: ["ignore", "ignore", "pipe"] })
}
