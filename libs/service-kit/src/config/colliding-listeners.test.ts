import { AppError } from "@serialcast/contract"
import { expect, test } from "vitest"
import { type ListeningPart, listeningParts } from "./colliding-listeners.ts"
import { loadConfig } from "./load-config.ts"

function problems(
  values: unknown,
  env: Readonly<Record<string, string>> = {},
  opens: readonly ListeningPart[] = listeningParts,
): readonly string[] {
  try {
    loadConfig({ values, env, opens })
    return []
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    return (error as AppError).message.split("\n")
  }
}

const raw = (listen: string) => ({ type: "raw", listen, device: "local/uno", allow: ["10.0.0.0/8"] })

test("two listeners at one place are a problem that names both keys", () => {
  expect(problems({ tunnels: [raw("*:8081")], http: { listen: "127.0.0.1:8081" } })).toEqual([
    'tunnels.0.listen: expected another port than that of http.listen (127.0.0.1:8081), found "*:8081"',
  ])
  expect(problems({ tunnels: [raw("127.0.0.1:7001"), raw("0.0.0.0:7001")] })).toEqual([
    'tunnels.1.listen: expected another port than that of tunnels.0.listen (127.0.0.1:7001), found "0.0.0.0:7001"',
  ])
})

test("what is in the way of a default is named by the key that was given, or its variable", () => {
  expect(problems({ http: { listen: "localhost:8080" } })).toEqual([
    'http.listen: expected another port than that of console.listen (127.0.0.1:8080), found "localhost:8080"',
  ])
  expect(problems({}, { SERIALCAST_ADMIN_LISTEN: "127.0.0.1:9001" })).toEqual([
    'SERIALCAST_ADMIN_LISTEN: expected another port than that of broker.websocket (127.0.0.1:9001), found "127.0.0.1:9001"',
  ])
})

test("of three at one place, two are told", () => {
  const listen = "127.0.0.1:9999"
  expect(problems({ http: { listen }, console: { listen }, tunnels: [raw(listen)] })).toHaveLength(2)
})

test("it is told beside what else is wrong", () => {
  expect(problems({ gateway: "A", http: { listen: "127.0.0.1:8080" } })).toHaveLength(2)
})

test("port 0, other ports and other addresses are in nobody's way", () => {
  const listen = "127.0.0.1:0"
  expect(problems({ http: { listen }, console: { listen }, tunnels: [raw(listen), raw(listen)] })).toEqual([])
  expect(problems({ tunnels: [raw("127.0.0.2:8081"), raw("[::1]:8081")] })).toEqual([])
})

test("a tunnel may have the ports of an embedded broker that does not run", () => {
  expect(problems({ broker: { url: "mqtt://broker" }, tunnels: [raw("127.0.0.1:1883")] })).toEqual([])
  expect(problems({ tunnels: [raw("127.0.0.1:1883")] })).toHaveLength(1)
})

test("a process of its own is only asked for the listeners that it opens", () => {
  const values = { http: { listen: "127.0.0.1:7001" }, tunnels: [raw("127.0.0.1:7001")] }
  expect(problems(values, {}, ["tunnels", "admin"])).toEqual([])
  expect(problems(values, {}, ["http", "admin"])).toEqual([])
  expect(problems({ http: { listen: "*:9090" }, access: "open" }, {}, ["http", "admin"])).toHaveLength(1)
})
