import { execFile, fork } from "node:child_process"
import { once } from "node:events"
import { openSync } from "node:fs"
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { concatBytes, delay, systemClock } from "@serialcast/primitives"
import { eventually, openPty, seededRandom } from "@serialcast/testkit"
import { LinuxPortBinding } from "@serialport/bindings-cpp"
import { describe, expect, onTestFinished, test } from "vitest"
import { defaultSettings } from "../default-settings.ts"
import { checkDriver, type DriverRig } from "../testing/check-driver.ts"
import { checkGivingBack } from "../testing/check-giving-back.ts"
import { errorOf } from "../testing/error-of.ts"
import { PortRecord } from "../testing/port-record.ts"
import { createTtyDriver } from "./tty-driver.ts"

const asChild = { execArgv: ["--conditions=@serialcast/source", "--import", "tsx"] }

async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "serialcast-tty-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

async function problemOf(path: string): Promise<string> {
  const problem = await errorOf(createTtyDriver(path).open(defaultSettings, new PortRecord()))
  expect(problem).toMatchObject({ code: "open_failed" })
  return (problem as Error).message
}

/** The settings of a tty, in one line. */
async function sttyOf(path: string): Promise<string> {
  const { stdout } = await promisify(execFile)("stty", ["-a", "-F", path])
  return stdout.replaceAll("\n", " ")
}

async function openRig(): Promise<DriverRig> {
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
}

describe("a tty does what every driver promises", () => {
  checkDriver(openRig)
  checkGivingBack(openRig)
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

// vhangup(2) hangs up the terminal that controls the calling process; only root may.
const vhangup = { x64: 153, arm64: 58 }[process.arch as string]
const hangUp = `$SIG{HUP} = "IGNORE"; open(my $tty, "+<", $ARGV[0]) or die $!; syscall(${vhangup}) == 0 or die $!`

test.runIf(process.getuid?.() === 0 && vhangup !== undefined)(
  "a tty that the kernel hangs up without a word is closed as gone, and the write that waits is rejected",
  async () => {
    await using pty = await openPty()
    const heard = new PortRecord()
    const port = await createTtyDriver(pty.path).open(defaultSettings, heard)
    const write = errorOf(port.write(new Uint8Array(40 * 1024 * 1024)))
    await promisify(execFile)("setsid", ["--wait", "perl", "-e", hangUp, pty.path])
    expect(await heard.closed).toEqual({ reason: "the device went away" })
    expect(await write).toEqual(new Error("the device went away"))
    await port.close()
    expect(heard.closes).toHaveLength(1)
  },
)

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

test("bytes that waited in the kernel before the port was opened are read", async () => {
  await using pty = await openPty()
  const waited = Uint8Array.from({ length: 2_000 }, (_, at) => at)
  await pty.write(waited)
  for (const baudRate of [115_200, 74_880]) {
    const heard = new PortRecord()
    const port = await createTtyDriver(pty.path).open({ ...defaultSettings, baudRate }, heard)
    await eventually(() => expect(heard.bytes).toEqual(waited))
    await port.close()
    await pty.write(waited)
  }
})

test("a reader that is killed again and again on a trickling port loses nothing", async () => {
  const file = join(await tempFolder(), "kept")
  await using pty = await openPty()
  let sent = 0
  for (let kill = 1; kill <= 4; kill++) {
    const child = fork(new URL("./testing/read-port.ts", import.meta.url), [pty.path, file], asChild)
    onTestFinished(() => void child.kill("SIGKILL"))
    let isOpen = false
    child.once("message", () => {
      isOpen = true
    })
    // While nobody reads, the kernel has room for some 4,000 bytes.
    for (; !isOpen; await delay(systemClock, 1)) {
      if (sent < kill * 3_000) await pty.write(Uint8Array.of(sent++))
    }
    await eventually(async () => expect((await stat(file)).size).toBe(sent))
    const exited = once(child, "exit")
    child.kill("SIGKILL")
    await exited
  }
  expect(new Uint8Array(await readFile(file))).toEqual(Uint8Array.from({ length: sent }, (_, at) => at))
})

test("every setting is made, and what a terminal has not is told and no obstacle", async () => {
  await using pty = await openPty()
  const notes: string[] = []
  const driver = createTtyDriver(pty.path, { onNote: (note) => notes.push(note) })
  const port = await driver.open({ ...defaultSettings, baudRate: 57_600 }, new PortRecord())
  expect(await sttyOf(pty.path)).toMatch(
    /speed 57600 baud.* min = 1; time = 0;.* -hupcl -cstopb .*-crtscts .*-ixon -ixoff/,
  )
  expect(notes).toEqual([])
  await port.configure({
    baudRate: 1_234_567,
    dataBits: 7,
    parity: "even",
    stopBits: 2,
    flowControl: "software",
  })
  expect(await sttyOf(pty.path)).toMatch(/ cstopb .*-crtscts .* ixon ixoff/)
  expect(notes).toEqual([`${pty.path} did not take dataBits 7 (it has 8), parity even (it has none).`])
  await port.configure({ ...defaultSettings, parity: "mark" })
  expect(await sttyOf(pty.path)).toMatch(/ parodd cmspar /)
  await port.configure({ ...defaultSettings, flowControl: "hardware" })
  expect(await sttyOf(pty.path)).toMatch(/speed 115200 baud.* -parodd -cmspar .*-cstopb .* crtscts/)
  await port.write(Uint8Array.of(7))
  expect(await pty.read(1)).toEqual(Uint8Array.of(7))
  await port.close()
})

test("a baud rate that no standard has is set", async () => {
  await using pty = await openPty()
  const port = await createTtyDriver(pty.path).open(
    { ...defaultSettings, baudRate: 74_880 },
    new PortRecord(),
  )
  // stty 9.1 has no words for such a rate.
  const other = new LinuxPortBinding(openSync(pty.path, "r+"), {} as LinuxPortBinding["openOptions"])
  expect(await other.getBaudRate()).toEqual({ baudRate: 74_880 })
  await other.close()
  await port.close()
})

test("a purge drops what waits and lets the write go on; the port works as before", async () => {
  await using pty = await openPty()
  const heard = new PortRecord()
  const port = await createTtyDriver(pty.path).open(defaultSettings, heard)
  const write = port.write(new Uint8Array(40 * 1024 * 1024))
  await eventually(() => expect(pty.received).toBeGreaterThanOrEqual(32 * 1024 * 1024))
  await pty.write(Uint8Array.of(1, 2, 3))
  await port.purge()
  await write
  await eventually(() => expect(heard.bytes).toEqual(Uint8Array.of(1, 2, 3)))
  let read = 0
  const readAll = async () => {
    const bytes = await pty.read(pty.received - read)
    read += bytes.byteLength
    return bytes
  }
  await readAll()
  await port.write(Uint8Array.of(7))
  // Before it comes only what the device's end of the terminal had taken over already.
  await eventually(async () => expect((await readAll()).at(-1)).toBe(7))
  expect(read).toBeLessThan(33 * 1024 * 1024)
  await port.close()
})

test("what flow control holds is sent when the device allows it, and ends with the port if it never does", async () => {
  await using pty = await openPty()
  const settings = { ...defaultSettings, flowControl: "software" } as const
  const [xon, xoff] = [Uint8Array.of(0x11), Uint8Array.of(0x13)]
  const bytes = new Uint8Array(1024 * 1024)
  const port = await createTtyDriver(pty.path).open(settings, new PortRecord())
  const hold = async (end: number) => {
    await pty.write(xoff)
    const write = errorOf(port.write(bytes))
    let last = -1
    await eventually(() => {
      const before = last
      last = pty.received
      expect(last).toBe(before)
    })
    expect(last).toBeLessThan(end)
    return { write }
  }
  const first = await hold(bytes.byteLength)
  await pty.write(xon)
  expect(await first.write).toBeUndefined()
  const second = await hold(2 * bytes.byteLength)
  await port.close()
  expect(String(await second.write)).toMatch("closed by the agent")
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
    const child = fork(new URL("./testing/open-unprivileged.ts", import.meta.url), [pty.path], asChild)
    const [said] = await Promise.all([
      new Promise((resolve) => child.once("message", resolve)),
      new Promise((resolve) => child.once("exit", resolve)),
    ])
    expect(said).toMatch(`No permission to open ${pty.path}; `)
    expect(said).toMatch("usermod -aG")
  })
})

async function descriptorsOf(terminal: string): Promise<number> {
  const names = await readdir("/proc/self/fd")
  const targets = await Promise.all(names.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")))
  return targets.filter((target) => target === terminal).length
}

test("a port that could not be opened leaves no descriptor behind", async () => {
  await using pty = await openPty()
  const port = await createTtyDriver(pty.path).open(defaultSettings, new PortRecord())
  const before = await descriptorsOf(pty.terminal)
  await problemOf(pty.path)
  expect(await descriptorsOf(pty.terminal)).toBe(before)
  await port.close()
})

test("a hundred opens leave neither descriptors nor locks behind", async () => {
  await using pty = await openPty()
  const before = [await descriptorsOf(pty.terminal), (await readdir("/proc/self/fd")).length]
  for (let n = 0; n < 100; n++) {
    const port = await createTtyDriver(pty.path).open(defaultSettings, new PortRecord())
    await port.write(Uint8Array.of(n))
    await port.close()
  }
  expect([await descriptorsOf(pty.terminal), (await readdir("/proc/self/fd")).length]).toEqual(before)
  expect(await pty.read(100)).toEqual(Uint8Array.from({ length: 100 }, (_, n) => n))
})
