import { once } from "node:events"
import { existsSync } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"
import { afterEach, beforeEach, expect, test } from "vitest"
import { openPty, type PtyDevice } from "./pty-device.ts"
import { seededRandom } from "./seeded-random.ts"

const megabyte = 1024 * 1024
let device: PtyDevice
let port: FileHandle

beforeEach(async () => {
  device = await openPty()
  port = await open(device.path, "r+")
})

afterEach(async () => {
  await device[Symbol.asyncDispose]()
  await port.close()
})

async function readPort(count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count)
  for (let at = 0; at < count; ) at += (await port.read(bytes, at, count - at)).bytesRead
  return bytes
}

test("all byte values pass unchanged in both directions, without an echo", async () => {
  const bytes = seededRandom(7).bytes(megabyte)
  const [fromDevice] = await Promise.all([readPort(megabyte), device.write(bytes)])
  expect(Buffer.compare(fromDevice, bytes)).toBe(0)
  const [fromHost] = await Promise.all([device.read(megabyte), port.writeFile(bytes)])
  expect(Buffer.compare(fromHost, bytes)).toBe(0)
  expect(device.received).toBe(megabyte)
})

test("a write waits while the host does not read, and says so at its deadline", async () => {
  const stuck = device.write(new Uint8Array(megabyte), { timeoutMs: 20 })
  await expect(stuck).rejects.toThrow(/took \d+ of 1048576 bytes within 20 ms/)
})

test("a read that gets too little says how much came, and keeps it", async () => {
  await port.writeFile("abc")
  await expect(device.read(4, { timeoutMs: 20 })).rejects.toThrow("3 of 4 bytes came within 20 ms")
  expect(Buffer.from(await device.read(2)).toString()).toBe("ab")
  expect(Buffer.from(await device.read(1)).toString()).toBe("c")
})

test("closing the port leaves the device in place while its slave is held", async () => {
  await port.close()
  port = await open(device.path, "r+")
  await device.write(Buffer.from("still here"))
  expect(Buffer.from(await readPort(10)).toString()).toBe("still here")
})

test("closing the port after releaseSlave hangs the device up", async () => {
  device.releaseSlave()
  await port.close()
  await device.hungUp
  expect(existsSync(device.path)).toBe(false)
  await expect(device.read(1)).rejects.toThrow("hung up")
  port = await open("/dev/null")
})

test("unplug removes the path and ends the open port", async () => {
  const reader = port.createReadStream({ autoClose: false })
  const ended = once(reader.resume(), "end").catch((error: unknown) => error)
  await device.unplug()
  expect(existsSync(device.path)).toBe(false)
  await expect(ended).resolves.toBeDefined()
})
