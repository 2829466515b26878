import { expect, test } from "vitest"
import { createAllowList } from "./allow-list.ts"

test.each([
  ["192.168.1.0/24", "192.168.1.77", true],
  ["192.168.1.0/24", "192.168.2.77", false],
  ["192.168.1.0/24", "::ffff:192.168.1.77", true],
  ["192.168.1.0/24", "::ffff:192.168.2.77", false],
  ["10.0.0.7", "10.0.0.7", true],
  ["10.0.0.7", "10.0.0.8", false],
  ["10.0.0.7/32", "10.0.0.8", false],
  ["0.0.0.0/0", "203.0.113.5", true],
  ["0.0.0.0/0", "2001:db8::1", false],
  ["::/0", "2001:db8::1", true],
  ["::/0", "203.0.113.5", false],
  ["fd00::/8", "fd12:3456::1", true],
  ["fd00::/8", "fe80::1", false],
  ["fe80::/10", "fe80::1%eth0", true],
  ["::1", "::1", true],
  ["::ffff:10.0.0.0/104", "10.9.9.9", true],
  ["::ffff:10.0.0.0/104", "11.9.9.9", false],
])("%s for %s: %s", (network, address, isAllowed) => {
  expect(createAllowList([network])(address)).toBe(isAllowed)
})

test("one of several networks is enough, no network lets nobody in, and no list lets everyone in", () => {
  expect(createAllowList(["10.0.0.0/8", "::1"])("::1")).toBe(true)
  expect(createAllowList([])("127.0.0.1")).toBe(false)
  expect(createAllowList(null)("203.0.113.5")).toBe(true)
})

test("a client of which no address is known is not let in", () => {
  expect(createAllowList(["0.0.0.0/0", "::/0"])("")).toBe(false)
})
