import { fork } from "node:child_process"
import { chmod, mkdir, mkdtemp, readlink, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { concatBytes } from "@serialcast/primitives"
import { eventually, FakeClock, openPty, seededRandom } from "@serialcast/testkit"
import { describe, expect, onTestFinished, test } from "vitest"
import { defaultSettings } from "../config.ts"
import { checkDriver, PortRecord } from "./check-driver.ts"
import { createTtyDriver } from "./tty-driver.ts"

async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "serialcast-tty-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => undefined,
    (error: unknown) => error,
  )
}

async function problemOf(path: string): Promise<string> {
  const problem = await errorOf(createTtyDriver(path).open(defaultSettings, new PortRecord()))
  expect(problem).toMatchObject({ code: "open_failed" })
  return (problem as Error).message
}

describe("a tty does what every driver promises", () => {
  checkDriver(async () => {
    const pty = await openPty()
    return {
      driver: createTtyDriver(pty.path),
      deviceReads: (count) => pty.read(count),
      deviceWrites: (bytes) => pty.write(bytes),
      passTime: (work) => work,
      // The kernel holds some 20 KB for a terminal, and the test's device is paused beyond 32 MiB.
      tooManyBytes: 40 * 1024 * 1024,
      [Symbol.asyncDispose]: () => pty[Symbol.asyncDispose](),
    }
  })
})

test("a megabyte of any bytes gets through both ways at once", async () => {
  await using pty = await openPty()
  const random = seededRandom()
  const [up, down] = [random.bytes(1_000_000), random.bytes(1_000_000)]
  const heard = new PortRecord()
  const port = await createTtyDriver(pty.path).open(defaultSettings, heard)
  const [received] = await Promise.all([pty.read(down.byteLength), port.write(down), pty.write(up)])
  await eventually(() => expect(heard.bytes.byteLength, `seed ${random.seed}`).toBe(up.byteLength))
  expect(Buffer.compare(heard.bytes, up), `seed ${random.seed}`).toBe(0)
  expect(Buffer.compare(received, down), `seed ${random.seed}`).toBe(0)
  await port.close()
})

test("what was heard stays as it was while more comes in", async () => {
  await using pty = await openPty()
  const heard = new PortRecord()
  const port = await createTtyDriver(pty.path).open(defaultSettings, heard)
  const copies: Uint8Array[] = []
  const onBytes = heard.onBytes.bind(heard)
  heard.onBytes = (bytes) => {
    copies.push(bytes.slice())
    onBytes(bytes)
  }
  await pty.write(seededRandom(1).bytes(300_000))
  await eventually(() => expect(heard.bytes.byteLength).toBe(300_000))
  expect(Buffer.compare(concatBytes(copies), heard.bytes)).toBe(0)
  await port.close()
})

test("unplugging closes the port, says so, and rejects the write that waits", async () => {
  await using pty = await openPty()
  const heard = new PortRecord()
  const port = await createTtyDriver(pty.path).open(defaultSettings, heard)
  const write = errorOf(port.write(new Uint8Array(40 * 1024 * 1024)))
  await pty.unplug()
  expect(await write).toEqual(new Error("the device went away"))
  expect(await heard.closed).toEqual({ reason: "the device went away" })
  await expect(port.drain()).rejects.toThrow("the port is closed")
  await port.close()
  expect(heard.closes).toHaveLength(1)
})

test("a tty that the kernel hung up without a word is closed as gone, and the write that waits is rejected", async () => {
  await using pty = await openPty()
  const clock = new FakeClock()
  const heard = new PortRecord()
  let isHungUp = false
  const check = async () => {
    if (isHungUp) throw new Error("Error: Input/output error, cannot get baud rate")
  }
  const port = await createTtyDriver(pty.path, { clock, check }).open(defaultSettings, heard)
  const write = errorOf(port.write(new Uint8Array(40 * 1024 * 1024)))
  await clock.advanceAsync(1_000)
  expect(heard.closes).toEqual([])
  isHungUp = true
  await clock.advanceAsync(250)
  expect(await heard.closed).toEqual({ reason: "the device went away" })
  expect(await write).toEqual(new Error("the device went away"))
  expect(clock.pendingTimers).toBe(0)
  await port.close()
  expect(heard.closes).toHaveLength(1)
})

test("a device that is unplugged while it sends closes the port", async () => {
  await using pty = await openPty()
  const heard = new PortRecord()
  const port = await createTtyDriver(pty.path).open(defaultSettings, heard)
  pty.releaseSlave()
  const sending = errorOf(pty.write(new Uint8Array(16 * 1024 * 1024)))
  await eventually(() => expect(heard.bytes.byteLength).toBeGreaterThan(0))
  await pty.unplug()
  await sending
  await heard.closed
  await port.close()
})

test("a tty that is closed is not watched any more", async () => {
  await using pty = await openPty()
  const clock = new FakeClock()
  const port = await createTtyDriver(pty.path, { clock }).open(defaultSettings, new PortRecord())
  await port.close()
  expect(clock.pendingTimers).toBe(0)
})

test("bytes that waited before the unplug never reach the device after the replug", async () => {
  const link = join(await tempFolder(), "port")
  const driver = createTtyDriver(link)
  await using before = await openPty()
  await symlink(before.path, link)
  const heard = new PortRecord()
  const first = await driver.open(defaultSettings, heard)
  const waiting = errorOf(first.write(new Uint8Array(40 * 1024 * 1024).fill(1)))
  await before.unplug()
  expect(await waiting).toBeInstanceOf(Error)
  await expect(first.write(Uint8Array.of(2))).rejects.toThrow("the port is closed")
  await rm(link)

  await using after = await openPty()
  await symlink(after.path, link)
  const second = await driver.open(defaultSettings, new PortRecord())
  await second.write(Uint8Array.of(3))
  expect(await after.read(1)).toEqual(Uint8Array.of(3))
  expect(after.received).toBe(1)
  await second.close()
})

test("a thousand writes leave nothing behind in the port", async () => {
  await using pty = await openPty()
  const port = await createTtyDriver(pty.path).open(defaultSettings, new PortRecord())
  for (let n = 0; n < 1_000; n++) await port.write(Uint8Array.of(n))
  expect(await pty.read(1_000)).toEqual(Uint8Array.from({ length: 1_000 }, (_, n) => n))
  await port.close()
})

describe("what keeps a port from opening is one clear sentence:", () => {
  test("a missing path, whatever words are in it", async () => {
    expect(await problemOf("/dev/no-such-lock-busy")).toBe(
      "/dev/no-such-lock-busy is not there; plug the device in or correct its port.",
    )
  })

  test("a regular file, a folder, a path through a file", async () => {
    const folder = await tempFolder()
    const file = join(folder, "lock")
    await writeFile(file, "")
    await mkdir(join(folder, "busy"))
    for (const path of [file, join(folder, "busy"), join(file, "tty"), "/dev/null"]) {
      expect(await problemOf(path)).toBe(`${path} is not a serial port; correct the device's port.`)
    }
  })

  test("a port that is open already, and stays so", async () => {
    await using pty = await openPty()
    const port = await createTtyDriver(pty.path).open(defaultSettings, new PortRecord())
    expect(await problemOf(pty.path)).toBe(`${pty.path} is in use by another program; close that program.`)
    await port.write(Uint8Array.of(7))
    expect(await pty.read(1)).toEqual(Uint8Array.of(7))
    await port.close()
  })

  test("a port that this user may not open", async () => {
    await using pty = await openPty()
    await chmod(pty.path, 0)
    const child = fork(new URL("./open-unprivileged.ts", import.meta.url), [pty.path], {
      execArgv: ["--conditions=@serialcast/source", "--import", "tsx"],
    })
    const [said] = await Promise.all([
      new Promise((resolve) => child.once("message", resolve)),
      new Promise((resolve) => child.once("exit", resolve)),
    ])
    expect(said).toMatch(`No permission to open ${pty.path}; `)
    expect(said).toMatch("usermod -aG")
  })
})

test("a port that could not be opened leaves no descriptor behind", async () => {
  await using pty = await openPty()
  const port = await createTtyDriver(pty.path).open(defaultSettings, new PortRecord())
  const descriptors = async () => {
    const targets = Array.from({ length: 256 }, (_, fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""))
    return (await Promise.all(targets)).filter((target) => target === pty.path).length
  }
  const before = await descriptors()
  await problemOf(pty.path)
  expect(await descriptors()).toBe(before)
  await port.close()
})
