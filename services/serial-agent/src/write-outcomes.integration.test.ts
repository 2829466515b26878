import { fork } from "node:child_process"
import { once } from "node:events"
import { rmSync, symlinkSync, writeFileSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { join } from "node:path"
import type { BrokerClient } from "@serialcast/broker-client"
import { encodeCall, parseHistoryPage } from "@serialcast/contract"
import {
  createTemporaryFolder,
  eventually,
  type MemoryBroker,
  openPty,
  type PtyDevice,
} from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { deviceAt } from "./config.ts"
import {
  call,
  startAgent,
  startBroker,
  startClient,
  startDeviceClient,
  untilState,
} from "./testing/test-agent.ts"

/** The place of a port, named by a link as udev would. */
function createPlug() {
  const folder = createTemporaryFolder()
  onTestFinished(() => folder[Symbol.dispose]())
  const path = join(folder.path, "port")
  return {
    folder: folder.path,
    path,
    async plugIn(): Promise<PtyDevice> {
      const pty = await openPty()
      onTestFinished(() => pty[Symbol.asyncDispose]())
      symlinkSync(pty.path, path)
      return pty
    },
    async pullOut(pty: PtyDevice): Promise<void> {
      // The link goes first: the terminal's name is free at once for another program's.
      rmSync(path)
      await pty.unplug()
    },
  }
}

const text = (first: number, length: number) => Uint8Array.from({ length }, (_, at) => (first + at) % 251)
/** Takes some seconds, during which it can be cut in the middle. */
const slow = { id: "slow", by: "test", bytes: text(0, 200), charDelayMs: 20 }

const write = (caller: BrokerClient, request: { id: string; [field: string]: unknown }) =>
  call(caller, "uno/call/write", { by: "test", ...request })

/** Bytes and refusals of the `tx` stream. */
async function written(caller: BrokerClient) {
  const { page } = await call(caller, "uno/call/history", {
    id: crypto.randomUUID(),
    stream: "tx",
    from: "start",
  })
  const { records } = parseHistoryPage({ page })
  const bytes = records.flatMap((record) => ("bytes" in record ? [...record.bytes] : []))
  const refusals = records.flatMap((record) =>
    "mark" in record && record.mark.kind === "refused" ? [record.mark] : [],
  )
  return { bytes: Uint8Array.from(bytes), refusals }
}

/** As `written`, once this byte is the last: a page has what the kernel has taken, and that is a moment after the receipt. */
async function writtenUpTo(caller: BrokerClient, last: number) {
  return await eventually(async () => {
    const found = await written(caller)
    expect(found.bytes.at(-1)).toBe(last)
    return found
  })
}

/** How many bytes were written at least, as the refusal of a write says. */
function countIn({ error }: Record<string, unknown>): number {
  expect(error).toMatchObject({ code: "aborted", message: expect.stringMatching(/^At least \d+ /) })
  return Number(/\d+/.exec((error as Error).message))
}

test("an unplug in mid-write aborts the write, with its count, and expires those that wait; the device that is plugged in then sees none of them", async () => {
  const plug = createPlug()
  const before = await plug.plugIn()
  const memory = await startBroker()
  await startAgent(() => memory.connect(), { uno: plug.path })
  const states = await startDeviceClient(memory)
  await untilState(states, "local/uno", ({ online }) => online)
  const caller = await startClient(memory)
  const cut = write(caller, slow)
  expect(await before.read(10)).toEqual(slow.bytes.subarray(0, 10))
  const ids = ["a", "b", "c"]
  const waiting = ids.map((id) => write(caller, { id, bytes: text(7, 50_000) }))
  // Its answer comes after the agent has taken in all that this client sent before.
  await written(caller)
  await plug.pullOut(before)
  const count = countIn(await cut)
  for (const outcome of await Promise.all(waiting))
    expect(outcome).toMatchObject({ error: { code: "expired" } })
  // The byte in hand may have reached the device, but is not counted.
  expect(before.received - count).toBeOneOf([0, 1])

  const after = await plug.plugIn()
  await untilState(states, "local/uno", ({ online, open }) => online && open === 2)
  expect(countIn(await write(caller, slow))).toBe(count)
  for (const id of ids)
    expect(await write(caller, { id, bytes: text(7, 50_000) })).toMatchObject({ error: { code: "expired" } })
  await write(caller, { id: "next", bytes: Uint8Array.of(255) })
  expect(await after.read(1)).toEqual(Uint8Array.of(255))
  expect(after.received).toBe(1)
  const { bytes, refusals } = await writtenUpTo(caller, 255)
  expect(bytes).toEqual(Uint8Array.of(...slow.bytes.subarray(0, count), 255))
  // Which comes first, the one that was cut or those behind it, is told by nobody.
  const aborted = refusals.filter(({ id }) => id === "slow")
  expect(refusals.filter(({ id }) => id !== "slow")).toMatchObject(
    ids.map((id) => ({ id, code: "expired", bytes: 0 })),
  )
  expect(aborted).toMatchObject([{ code: "aborted", bytes: count }])
})

test("a device that holds the sender back by XOFF is shown as held, and gets every byte once it says XON", async () => {
  const plug = createPlug()
  const pty = await plug.plugIn()
  const memory = await startBroker()
  const uno = { ...deviceAt(plug.path), flowControl: "software" } as const
  await startAgent(() => memory.connect(), {}, { devices: { uno } })
  const states = await startDeviceClient(memory)
  await untilState(states, "local/uno", ({ online }) => online)
  const caller = await startClient(memory)
  // The byte that was answered for shows that the tty runs: XOFF before its opening would be forgotten.
  await write(caller, { id: "first", bytes: Uint8Array.of(1) })
  expect(await pty.read(1)).toEqual(Uint8Array.of(1))
  await pty.write(Uint8Array.of(0x13))
  // Slow enough for the tty to take in the XOFF, which it does some time after the device sent it.
  const job = text(0, 2_000)
  const receipt = write(caller, { id: "job", bytes: job, charDelayMs: 1 })
  const { heldSince } = await untilState(states, "local/uno", (state) => state.heldSince !== null)
  expect(Date.parse(heldSince ?? "")).toBeGreaterThan(0)
  expect(pty.received).toBeLessThan(1 + job.byteLength)
  await pty.write(Uint8Array.of(0x11))
  expect(await receipt).toMatchObject({ receipt: { bytes: job.byteLength } })
  expect(await pty.read(job.byteLength)).toEqual(job)
  await untilState(states, "local/uno", (state) => state.heldSince === null && state.open === 1)
})

test("a write that is sent again and again with one id is written once, and answered each time", async () => {
  const plug = createPlug()
  const pty = await plug.plugIn()
  const memory = await startBroker()
  await startAgent(() => memory.connect(), { uno: plug.path })
  await untilState(await startDeviceClient(memory), "local/uno", ({ online }) => online)
  const caller = await startClient(memory)
  const request = { id: "once", by: "test", bytes: text(0, 20), charDelayMs: 10 }
  const topic = caller.topics.call("write", { gateway: "local", device: "uno" }, caller.clientId)
  for (let n = 0; n < 5; n++) await caller.publish(topic, encodeCall(request))
  const first = await write(caller, request)
  expect(first).toMatchObject({ receipt: { bytes: 20 } })
  expect(await write(caller, request)).toEqual(first)
  await write(caller, { id: "next", bytes: Uint8Array.of(255) })
  expect(await pty.read(21)).toEqual(Uint8Array.of(...request.bytes, 255))
  expect(pty.received).toBe(21)
})

/** An agent in a process of its own, which the test kills. */
async function spawnAgent(memory: MemoryBroker, { folder, path }: { folder: string; path: string }) {
  const server = createServer((socket) => memory.accept(socket)).listen(0, "127.0.0.1")
  onTestFinished(() => void server.close())
  await once(server, "listening")
  const config = join(folder, "serialcast.yaml")
  writeFileSync(config, JSON.stringify({ devices: { uno: { port: path } } }))
  const { port } = server.address() as AddressInfo
  const env = {
    PATH: process.env["PATH"],
    SERIALCAST_CONFIG: config,
    SERIALCAST_DISCOVER: "off",
    SERIALCAST_LOG_LEVEL: "error",
    SERIALCAST_BROKER_URL: `mqtt://127.0.0.1:${port}`,
    SERIALCAST_ADMIN_LISTEN: "127.0.0.1:0",
    SERIALCAST_JOURNAL_DIR: join(folder, "journal"),
  }
  return () => {
    const execArgv = ["--conditions=@serialcast/source", "--import", import.meta.resolve("tsx")]
    const child = fork(new URL("./main.ts", import.meta.url), {
      execArgv,
      env,
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    })
    const exited = once(child, "exit")
    const kill = async () => {
      child.kill("SIGKILL")
      await exited
    }
    onTestFinished(kill)
    return { kill }
  }
}

test("an agent that is killed in mid-write and started again answers the write with what was written, and writes no byte of it twice", async () => {
  const plug = createPlug()
  const memory = await startBroker()
  const start = await spawnAgent(memory, plug)
  const killed = start()
  const pty = await plug.plugIn()
  const states = await startDeviceClient(memory)
  await untilState(states, "local/uno", ({ online, open }) => online && open === 1)
  const caller = await startClient(memory)
  const done = { id: "done", bytes: text(100, 5) }
  const receipt = await write(caller, done)
  expect(await pty.read(5)).toEqual(done.bytes)
  const topic = caller.topics.call("write", { gateway: "local", device: "uno" }, caller.clientId)
  await caller.publish(topic, encodeCall(slow))
  await pty.read(20)
  await killed.kill()

  start()
  await untilState(states, "local/uno", ({ online, open }) => online && open === 2)
  const count = countIn(await write(caller, slow))
  expect(await write(caller, done)).toEqual(receipt)
  await write(caller, { id: "next", bytes: Uint8Array.of(255) })
  const { bytes, refusals } = await writtenUpTo(caller, 255)
  expect(refusals).toMatchObject([{ id: "slow", by: "test", code: "aborted", bytes: count }])
  expect(bytes).toEqual(Uint8Array.of(...done.bytes, ...slow.bytes.subarray(0, count), 255))
  const rest: number[] = []
  while (rest.at(-1) !== 255) rest.push(...(await pty.read(1)))
  const reached = 20 + rest.length - 1
  expect(reached).toBeGreaterThanOrEqual(count)
  expect(rest).toEqual([...slow.bytes.subarray(20, reached), 255])
})
