import { expect, test } from "vitest"
import { formatListenAddress, isLoopback, parseListenAddress } from "./listen-address.ts"

test.each([
  ["127.0.0.1:0", { host: "127.0.0.1", port: 0 }],
  ["0.0.0.0:8080", { host: "0.0.0.0", port: 8080 }],
  ["[::]:8080", { host: "::", port: 8080 }],
  ["*:65535", { host: "*", port: 65_535 }],
  ["localhost:80", { host: "localhost", port: 80 }],
])("%s is an address, and is written the same way", (text, address) => {
  expect(parseListenAddress(text)).toEqual(address)
  expect(formatListenAddress(address)).toBe(text)
})

test.each(["", "8080", ":8080", "::1:8080", "[::1]", "host:65536", "host:-1", "[1.2.3.4]:1", "a b:1"])(
  "%j is not an address",
  (text) => expect(parseListenAddress(text)).toBeUndefined(),
)

test("only 127/8, ::1 and localhost stay on this machine", () => {
  expect(["127.0.0.1", "127.1.2.3", "::1", "localhost"].filter(isLoopback)).toHaveLength(4)
  expect(["0.0.0.0", "::", "*", "127.example.com", "192.168.0.1", "box"].filter(isLoopback)).toEqual([])
})
