import { once } from "node:events"
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { encodeHex } from "@serialcast/primitives"
import { createTemporaryFolder, eventually, openPty, seededRandom } from "@serialcast/testkit"
import { describe, expect, onTestFinished, test } from "vitest"
import { listenAsDevice } from "../testing/listen-as-device.ts"
import { type SpawnedCli, spawnCli } from "../testing/spawn-cli.ts"
import { connectRaw, type RawClient } from "../tunnels/testing/raw-client.ts"

async function openDevice() {
  const pty = await openPty()
  onTestFinished(() => pty[Symbol.asyncDispose]())
  return pty
}

/** Runs `serialcast bridge` in a folder of its own, which has its temporary files too: it is to stay empty. */
function spawnBridge(...args: string[]): SpawnedCli & { readonly files: () => string[] } {
  const folder = createTemporaryFolder()
  onTestFinished(() => folder[Symbol.dispose]())
  const cli = spawnCli(["bridge", ...args], { TMPDIR: folder.path }, folder.path)
  return { ...cli, files: () => readdirSync(folder.path) }
}

async function portOf(cli: SpawnedCli): Promise<number> {
  const [, port] = await cli.stdout.find(/127\.0\.0\.1:(\d+) <->/)
  return Number(port)
}

async function join(port: number): Promise<RawClient> {
  const client = await connectRaw(port)
  onTestFinished(() => void client.socket.destroy())
  return client
}

/** Ports on which a process listens, by the sockets that it has open. */
function listeningPorts(pid: number): number[] {
  const inodes = new Set<string>()
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? []
      if (inode !== undefined) inodes.add(inode)
    } catch {
      // Closed since it was listed.
    }
  }
  // The kernel's table: the second field is the local address, the fourth the state (0A: listening), the tenth the inode.
  return ["tcp", "tcp6"]
    .flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, "utf8").trim().split("\n").slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === "0A" && inodes.has(fields[9] ?? ""))
    .map((fields) => Number.parseInt(fields[1]?.split(":").at(-1) ?? "", 16))
}

describe("bridge", () => {
  test("passes every byte both ways, tells who comes and goes, and never leaves a file", async () => {
    const random = seededRandom()
    const pty = await openDevice()
    const cli = spawnBridge("--device", `${pty.path}@921600`, "--listen", "0")
    const port = await portOf(cli)
    expect(cli.stdout.text).toBe(`raw 127.0.0.1:${port} <-> ${pty.path} (921600 8N1)\n`)
    expect(listeningPorts(cli.child.pid ?? 0)).toEqual([port])
    const client = await join(port)
    await cli.stderr.find(/127\.0\.0\.1:\d+ connected\n/)
    const bytes = random.bytes(100_000)
    client.socket.write(bytes)
    const written = await pty.read(bytes.byteLength)
    expect(Buffer.compare(written, bytes), `seed ${random.seed}`).toBe(0)
    await pty.write(bytes)
    expect(Buffer.compare(await client.read(bytes.byteLength), bytes), `seed ${random.seed}`).toBe(0)
    client.socket.destroy()
    await cli.stderr.find(/127\.0\.0\.1:\d+ disconnected\n/)
    await join(port)
    await cli.stderr.find(/disconnected\n127\.0\.0\.1:\d+ connected\n/)
    expect(cli.files()).toEqual([])
    cli.child.kill("SIGINT")
    expect(await cli.exited).toBe(0)
    expect(cli.files()).toEqual([])
    expect(cli.stdout.text.trim().split("\n")).toHaveLength(1)
  })

  test("gives a client the last bytes first when asked to", async () => {
    const pty = await openDevice()
    const cli = spawnBridge("--device", pty.path, "--listen", "0", "--replay", "5")
    const port = await portOf(cli)
    await pty.write(new TextEncoder().encode("hello world"))
    await eventually(async () => {
      const client = await join(port)
      client.socket.setTimeout(500, () => client.socket.destroy())
      expect(new TextDecoder().decode(await client.read(5))).toBe("world")
    })
  })

  test("goes on when the device went away and came back, and says both", async () => {
    await using device = await listenAsDevice()
    const cli = spawnBridge("--device", `tcp://127.0.0.1:${device.port}`, "--listen", "0")
    const port = await portOf(cli)
    const reader = await join(port)
    const { socket } = await join(port)
    socket.write("one")
    await device.received("one")
    await device.goAway()
    await cli.stderr.find(new RegExp(`127\\.0\\.0\\.1:${device.port}`))
    await device.comeBack()
    await cli.stderr.find(/It works again\.\n/)
    // Of who was writing, a byte may be lost in the unplug: it is reset then.
    const newcomer = await join(port)
    newcomer.socket.write("two")
    await device.received("onetwo")
    expect(reader.socket.closed).toBe(false)
  })

  test("a cable at whose other end nobody is ends it with exit code 2 when --sync-timeout is over", async () => {
    const pty = await openDevice()
    const cable = ["--protocol", "serialtcp-server", "--listen", "0", "--sync-timeout", "300ms"]
    const cli = spawnBridge("--device", pty.path, ...cable)
    expect(await cli.exited).toBe(2)
    expect(cli.stdout.text).toMatch(/^serialtcp-server 127\.0\.0\.1:\d+ <-> /)
    expect(cli.stderr.text).toMatch(/The other end of the cable was not found in time\.\n$/)
  })

  test("at Ctrl-C the other end of a cable hears that the connection is over", async () => {
    const pty = await openDevice()
    const cli = spawnBridge("--device", pty.path, "--protocol", "serialtcp-server", "--listen", "0")
    const port = await portOf(cli)
    /** Waits for these codes of the server, behind whatever came before. */
    let heard = ""
    const hear = async (codes: string) => {
      while (!heard.includes(codes)) heard += encodeHex(await pty.read(1)).toLowerCase()
      heard = ""
    }
    const say = (codes: string) => pty.write(Buffer.from(codes, "hex"))
    // The far end finds this one, takes the call of a client, and says that it is connected.
    await say("1f441f441fc1")
    await hear("1fe1")
    await say("1fc2")
    await hear("1fe2")
    await say("1fc3")
    await hear("1fe3")
    await join(port)
    await hear("1f43")
    await say("1f631f73")
    await hear("1f73")
    cli.child.kill("SIGINT")
    await hear("1f44")
    expect(await cli.exited).toBe(0)
  })

  test("a device that is not there is one clear line", async () => {
    const cli = spawnBridge("--device", "/dev/serialcast-not-there", "--listen", "0")
    expect(await cli.exited).toBe(1)
    expect(cli.stderr.text).toMatch(/^serialcast bridge: \/dev\/serialcast-not-there is not there[^\n]*\n$/)
    expect(cli.stdout.text).toBe("")
  })

  test("a port in use is one clear line, said before the device is touched", async () => {
    const blocker = createServer().listen(0, "127.0.0.1")
    onTestFinished(() => void blocker.close())
    await once(blocker, "listening")
    const { port } = blocker.address() as AddressInfo
    const cli = spawnBridge("--device", "/dev/serialcast-not-there", "--listen", String(port))
    expect(await cli.exited).toBe(1)
    expect(cli.stderr.text).toMatch(new RegExp(`^serialcast bridge: Port ${port} [^\\n]*in use[^\\n]*\\n$`))
  })

  test("wrong arguments are one clear line and how it is used", async () => {
    const cli = spawnBridge("--device", "sim:echo", "--listen", "0.0.0.0:0")
    expect(await cli.exited).toBe(2)
    expect(cli.stderr.text).toMatch(
      /^serialcast bridge: --listen: other machines can reach[^\n]*\nUsage: serialcast bridge/,
    )
  })
})
