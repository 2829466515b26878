import { once } from "node:events"
import { createServer, type Server } from "node:net"
import { expect, onTestFinished, test } from "vitest"
import type { ListenAddress } from "./config.ts"
import { parseListenAddress } from "./listen-address.ts"
import { isSamePlace } from "./same-place.ts"

const at = (text: string): ListenAddress => parseListenAddress(text)!

const pairs = [
  ["127.0.0.1:80", "127.0.0.1:80"],
  ["*:80", "127.0.0.1:80"],
  ["*:80", "0.0.0.0:80"],
  ["*:80", "[::1]:80"],
  ["[::]:80", "*:80"],
  ["[::]:80", "127.0.0.2:80"],
  ["0.0.0.0:80", "192.168.0.1:80"],
  ["0:80", "127.1:80"],
  ["127.1:80", "127.0.0.1:80"],
  ["[0:0::1]:80", "[::1]:80"],
  ["[::ffff:127.0.0.1]:80", "127.0.0.1:80"],
  ["localhost:80", "127.0.0.1:80"],
  ["localhost:80", "[::1]:80"],
  ["0.0.0.0:80", "Box.lan:80"],
  ["box.lan:80", "Box.lan:80"],
]

test.each(pairs)("%s and %s are in each other's way", (one, other) => {
  expect(isSamePlace(at(one), at(other))).toBe(true)
  expect(isSamePlace(at(other), at(one))).toBe(true)
})

test.each([
  ["127.0.0.1:80", "127.0.0.1:81"],
  ["*:80", "*:81"],
  ["*:0", "*:0"],
  ["127.0.0.1:80", "127.0.0.2:80"],
  ["127.0.0.1:80", "[::1]:80"],
  ["0.0.0.0:80", "[::1]:80"],
  ["localhost:80", "127.0.0.2:80"],
  ["box.lan:80", "192.168.0.1:80"],
])("%s and %s are not in each other's way", (one, other) => {
  expect(isSamePlace(at(one), at(other))).toBe(false)
  expect(isSamePlace(at(other), at(one))).toBe(false)
})

test("that is what the system says, of addresses that every machine has", async () => {
  const hosts: string[] = []
  for (const host of ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1"])
    if (await isFree({ host, port: 0 })) hosts.push(host)
  for (const one of hosts) {
    for (const other of hosts) {
      const first = await listening({ host: one, port: 0 })
      const { port } = first.address() as { port: number }
      const isTaken = !(await isFree({ host: other, port }))
      await close(first)
      expect(isSamePlace({ host: one, port }, { host: other, port }), `${one} and ${other}`).toBe(isTaken)
    }
  }
})

async function isFree(address: ListenAddress): Promise<boolean> {
  try {
    await close(await listening(address))
    return true
  } catch {
    return false
  }
}

async function listening(address: ListenAddress): Promise<Server> {
  const server = createServer().listen(address)
  onTestFinished(() => void server.close())
  await once(server, "listening")
  return server
}

async function close(server: Server): Promise<void> {
  server.close()
  await once(server, "close")
}
