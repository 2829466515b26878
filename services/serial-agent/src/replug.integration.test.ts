import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, readdir, rm, symlink } from "node:fs/promises"
import { arch, tmpdir } from "node:os"
import { join } from "node:path"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { type DeviceState, deviceStateSchema, parseJsonPayload } from "@serialcast/contract"
import type { DeviceClient } from "@serialcast/device-stream"
import { eventually, type MemoryBroker, openPty, type PtyDevice } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { startAgent, startBroker, startClient, startDeviceClient, untilState } from "./testing/test-agent.ts"

/** A socket that devices are plugged into, named by a link as udev would. */
async function createSocket() {
  const folder = await mkdtemp(join(tmpdir(), "serialcast-replug-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  const path = join(folder, "port")
  let pty: PtyDevice | undefined
  const vanish = async () => {
    // The link goes first: the terminal's name is free at once for another program's.
    await rm(path, { force: true })
    await pty?.unplug()
  }
  onTestFinished(vanish)
  return {
    path,
    vanish,
    async plugIn(): Promise<PtyDevice> {
      pty = await openPty()
      await symlink(pty.path, path)
      return pty
    },
  }
}

interface Told {
  readonly online: boolean
  readonly open: number
  readonly code: string | undefined
}

/** What the broker was told of a device: each change of its port, once. */
async function listen(memory: MemoryBroker, device: string) {
  const broker = await startClient(memory)
  const told: Told[] = []
  await broker.subscribe(broker.topics.filter("state", { gateway: "local" }), ({ topic, payload }) => {
    const state = parseJsonPayload(deviceStateSchema, payload)
    if (state === undefined || !topic.endsWith(`/${device}/state`)) return
    const next = { online: state.online, open: state.open, code: state.problem?.code }
    if (JSON.stringify(next) !== JSON.stringify(told.at(-1))) told.push(next)
  })
  return told
}

/** Descriptors, and what the event loop holds: handles, timers, requests. */
async function countResources(): Promise<number> {
  return (await readdir("/proc/self/fd")).length + process.getActiveResourcesInfo().length
}

setFlagsFromString("--expose-gc")
const collectGarbage: () => void = runInNewContext("gc")

function heapAfterCollection(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

const cycles = Number(process.env["REPLUG_CYCLES"] ?? 20)
// The broker of the test remembers up to 16 MiB of messages.
const maxGrowthBytes = 24 * 1024 * 1024
const isOnline = ({ online }: DeviceState) => online

async function replug(
  socket: Awaited<ReturnType<typeof createSocket>>,
  client: DeviceClient,
  open: number,
): Promise<void> {
  await socket.vanish()
  await untilState(client, "local/uno", ({ problem }) => problem?.code === "open_failed")
  const pty = await socket.plugIn()
  await untilState(client, "local/uno", (state) => state.online && state.open === open)
  const sent = Uint8Array.of(open >> 8, open)
  await client.device("local/uno").write(sent, { by: "test" })
  expect(await pty.read(2)).toEqual(sent)
  expect(pty.received).toBe(2)
}

test(
  `a device that vanishes and returns ${cycles} times is opened and told each time, and nothing is left`,
  async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on("warning", onWarning)
    onTestFinished(() => void process.off("warning", onWarning))
    const memory = await startBroker()
    const socket = await createSocket()
    await socket.plugIn()
    await startAgent(() => memory.connect(), { uno: socket.path })
    const client = await startDeviceClient(memory)
    await untilState(client, "local/uno", isOnline)
    const told = await listen(memory, "uno")
    await eventually(() => expect(told).toHaveLength(1))

    const warmUp = 5
    for (let open = 2; open <= 1 + warmUp; open++) await replug(socket, client, open)
    await eventually(() => expect(told.at(-1)).toMatchObject({ online: true, open: 1 + warmUp }))
    const [resources, heapBefore] = [await countResources(), heapAfterCollection()]
    for (let open = 2 + warmUp; open <= 1 + warmUp + cycles; open++) {
      const before = told.length
      await replug(socket, client, open)
      await eventually(() =>
        expect(told.slice(before)).toEqual([
          { online: false, open: open - 1, code: "device_offline" },
          { online: false, open: open - 1, code: "open_failed" },
          { online: true, open, code: undefined },
        ]),
      )
    }
    // Some come and go at any time; what each replug left behind would be many more.
    await eventually(async () => expect((await countResources()) - resources).toBeLessThan(8))
    expect(heapAfterCollection() - heapBefore).toBeLessThan(maxGrowthBytes)
    expect(warnings).toEqual([])
  },
  60_000 + 2_000 * cycles,
)

// Hanging up needs root, and a system call that has no command.
const vhangup: Readonly<Record<string, number>> = { x64: 153, arm64: 58 }
const canHangUp = process.getuid?.() === 0 && arch() in vhangup

/** What the kernel does to a tty whose device goes: its descriptors stay open, and are dead. */
async function hangUp(path: string): Promise<void> {
  const script = '$SIG{HUP} = "IGNORE"; open(my $tty, "+<", $ARGV[0]) or die; syscall($ARGV[1]) == 0 or die'
  // As the leader of a session, which gets the terminal that it opens.
  const child = spawn("perl", ["-e", script, path, String(vhangup[arch()])], { detached: true })
  expect(await once(child, "exit")).toEqual([0, null])
}

test.runIf(canHangUp)(
  "a tty that the kernel hung up is noticed within a second, and opened anew",
  async () => {
    const memory = await startBroker()
    const socket = await createSocket()
    const pty = await socket.plugIn()
    await startAgent(() => memory.connect(), { uno: socket.path })
    const client = await startDeviceClient(memory)
    await untilState(client, "local/uno", isOnline)
    const told = await listen(memory, "uno")
    await eventually(() => expect(told).toHaveLength(1))
    await hangUp(pty.path)
    await eventually(() => expect(told[1]).toMatchObject({ online: false, code: "device_offline" }), {
      timeoutMs: 1_000,
    })
    await untilState(client, "local/uno", ({ online, open }) => online && open === 2)
    await client.device("local/uno").write(Uint8Array.of(7), { by: "test" })
    expect(await pty.read(1)).toEqual(Uint8Array.of(7))
  },
)

test("a device whose path appears is online long before it would be tried again", async () => {
  const memory = await startBroker()
  const socket = await createSocket()
  await startAgent(() => memory.connect(), { uno: socket.path })
  const client = await startDeviceClient(memory)
  await untilState(client, "local/uno", ({ problem }) => problem?.code === "open_failed")
  const delaysMs: number[] = []
  for (let n = 0; n < 8; n++) {
    await socket.vanish()
    await untilState(client, "local/uno", ({ problem }) => problem?.code === "open_failed")
    await socket.plugIn()
    const pluggedInMs = performance.now()
    await untilState(client, "local/uno", isOnline)
    delaysMs.push(performance.now() - pluggedInMs)
  }
  // Without being told, the agent comes back every half to whole second.
  expect(delaysMs.toSorted((a, b) => a - b)[4]).toBeLessThan(250)
})
