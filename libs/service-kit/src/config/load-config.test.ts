import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { AppError } from "@serialcast/contract"
import { afterEach, beforeEach, expect, test } from "vitest"
import { loadConfig } from "./load-config.ts"

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "serialcast-config-"))
})
afterEach(() => rmSync(directory, { recursive: true }))

function load(yaml: string, env: Record<string, string> = {}) {
  writeFileSync(join(directory, "serialcast.yaml"), yaml)
  return loadConfig({ env, directory })
}

function problems(yaml: string, env: Record<string, string> = {}): readonly string[] {
  try {
    load(yaml, env)
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    expect((error as AppError).code).toBe("bad_config")
    return (error as AppError).message.split("\n")
  }
  return []
}

test("without a file everything has its default", () => {
  expect(loadConfig({ env: {}, directory })).toEqual({
    gateway: "local",
    broker: {
      listen: { host: "127.0.0.1", port: 1883 },
      websocket: { host: "127.0.0.1", port: 9001 },
      host: null,
      url: null,
      root: "serialcast",
      clientBufferBytes: 12 * 1024 * 1024,
      dir: "./data/broker",
      syncMs: 5_000,
    },
    devices: {},
    discover: "show",
    journal: {
      dir: "./data/journal",
      maxBytes: 64 * 1024 * 1024,
      maxAgeMs: 30 * 24 * 3_600_000,
      syncMs: 5_000,
      stage: "auto",
    },
    http: { listen: { host: "127.0.0.1", port: 8081 }, defaultDevice: null, hexServer: true },
    console: { listen: { host: "127.0.0.1", port: 8080 } },
    admin: { listen: { host: "127.0.0.1", port: 9090 } },
    tunnels: [],
    webrepl: [],
    resources: {
      listen: { host: "127.0.0.1", port: 8082 },
      maxUri: 100,
      maxBody: 32 * 1024,
      maxBytes: 2 * 1024 * 1024,
      html: false,
      devices: {},
      forward: [],
      tls: null,
      webhooks: [],
    },
    access: { open: false, tokenFile: null, hosts: [] },
    log: { level: "info" },
    source: null,
  })
})

test("a device needs only its port", () => {
  const config = load("devices: { uno: { port: /dev/ttyACM0 }, gps: { port: 'sim:echo', baudRate: 9600 } }")
  expect(config.source).toBe("serialcast.yaml")
  expect(config.devices).toEqual({
    uno: {
      port: "/dev/ttyACM0",
      baudRate: 115_200,
      dataBits: 8,
      parity: "none",
      stopBits: 1,
      flowControl: "none",
      framing: null,
      charDelayMs: 0,
      lineDelayMs: 0,
      holdLimitMs: null,
    },
    gps: {
      port: "sim:echo",
      baudRate: 9600,
      dataBits: 8,
      parity: "none",
      stopBits: 1,
      flowControl: "none",
      framing: null,
      charDelayMs: 0,
      lineDelayMs: 0,
      holdLimitMs: null,
    },
  })
})

test("framing, pauses and a device server are understood", () => {
  const config = load(
    "devices: { gps: { port: 'tcp://[::1]:4001', framing: { type: line }, lineDelayMs: 20 } }\n" +
      "journal: { dir: /data, maxBytes: 1GiB, maxAge: null, sync: 500ms, stage: /run/stage }",
  )
  expect(config.devices["gps"]).toMatchObject({
    port: "tcp://[::1]:4001",
    framing: { type: "line", maxBytes: 4096 },
    lineDelayMs: 20,
    holdLimitMs: null,
  })
  const journal = {
    dir: "/data",
    maxBytes: 1024 ** 3,
    maxAgeMs: null,
    syncMs: 500,
    stage: { folder: "/run/stage" },
  }
  expect(config.journal).toEqual(journal)
})

test.each([
  ["devices: { a: { port: 'tcp://host' } }", "devices.a.port: expected a path like"],
  ["devices: { a: { port: 'rfc2217://host:65536' } }", "devices.a.port: expected a path like"],
  ["devices: { a: { port: 'rfc2217://host' } }", "devices.a.port: expected a path like"],
  ["devices: { a: { port: 'tcp://:1' } }", "devices.a.port: expected a path like"],
  ["devices: { a: { port: /dev/a, framing: { type: words } } }", "devices.a.framing.type: expected"],
  [
    "devices: { a: { port: /dev/a, framing: { type: delimiter, delimiter: xy } } }",
    "devices.a.framing.delimiter:",
  ],
  ["journal: { maxBytes: 64KiB }", "journal.maxBytes: expected a size of at least 1MiB"],
  ["journal: { maxAge: soon }", "journal.maxAge: expected a duration like 500ms, 5s, 12h or 30d"],
])("%s is a problem with its path", (yaml, problem) => {
  const [first = ""] = problems(yaml)
  expect(first).toContain(problem)
})

test("the configuration cannot be changed by those who read it", () => {
  const config = load("devices: { uno: { port: /dev/ttyACM0 } }")
  expect(() => Object.assign(config.http, { hexServer: false })).toThrow(TypeError)
  expect(() => Object.assign(config.devices["uno"]!, { port: "" })).toThrow(TypeError)
})

test("all problems are reported at once, each with its path", () => {
  const yaml = `
gateway: Local
broker: { listen: 8080, clientBufferBytes: 12MB, url: "http://broker" }
devices:
  uno: { port: /dev/ttyACM0, baudRate: -1, stopBits: 3, baudrate: 9600 }
  Gps: { port: /dev/ttyUSB0 }
  cable: { parity: maybe }
http: { lisen: "127.0.0.1:80", defaultDevice: uno, hexServer: sometimes }
discover: yes
access: { tokenFile: 3, host: [] }
`
  const name =
    "expected a name: a-z, 0-9, _ and -, starting with a letter or digit, at most 64 characters, found"
  expect(problems(yaml)).toEqual([
    `gateway: ${name} "Local"`,
    "broker.listen: expected an address like 127.0.0.1:8080, [::1]:8080 or *:8080, found 8080",
    'broker.url: expected a URL like mqtt://broker:1883, found "http://broker"',
    'broker.clientBufferBytes: expected a size of at least 64KiB, like 12MiB or 12582912, found "12MB"',
    "devices.uno.baudRate: expected a number above 0, found -1",
    "devices.uno.stopBits: expected 1 or 2, found 3",
    "devices.uno.baudrate: unknown key; did you mean baudRate?",
    `devices.Gps: ${name} "Gps"`,
    "devices.cable.port: expected a path like /dev/ttyUSB0, an address like tcp://192.168.1.5:4001 or rfc2217://192.168.1.5:2217, or sim:echo, sim:sensor, sim:modem or sim:micropython, found nothing",
    'devices.cable.parity: expected none, even, odd, mark or space, found "maybe"',
    'discover: expected off, show or open, found "yes"',
    'http.defaultDevice: expected a device address like local/uno, found "uno"',
    'http.hexServer: expected true or false, found "sometimes"',
    "http.lisen: unknown key; did you mean listen?",
    "access.tokenFile: expected text, found 3",
    "access.host: unknown key; did you mean hosts?",
  ])
})

test("a password in a URL is not repeated, however wrong the URL is, nor is what stands in the place of a token", () => {
  const found = 'broker.url: expected a URL like mqtt://broker:1883, found "'
  for (const url of ["me:secret@broker", "me:sec/ret@broker:1883", "me:se@cret@broker"])
    expect(problems(`broker: { url: '${url}' }`)[0]).toMatch(`${found}[redacted]@broker`)
  expect(problems("broker: { url: 'mqt://me:s@ec/ret@broker' }")).toEqual([
    `${found}mqt://[redacted]@broker"`,
  ])
  expect(problems("access: abcdefghij0123456789")).toEqual([
    "access: expected open or a map, found other text",
  ])
  expect(problems("broker: { url: 'http://me:secret@broker' }")).toEqual([
    'broker.url: expected a URL like mqtt://broker:1883, found "http://[redacted]@broker"',
  ])
})

test("mistakes in the YAML itself are reported with line and column", () => {
  expect(problems("gateway: one\ngateway: two\n")).toEqual([
    "serialcast.yaml: line 2, column 1: Map keys must be unique",
  ])
  expect(problems("devices:\n  - {\n")[0]).toMatch(/^serialcast\.yaml: line \d+, column \d+: Flow map/)
  expect(problems("gateway: !secret x")).toEqual([
    "serialcast.yaml: line 1, column 10: Unresolved tag: !secret",
  ])
  expect(problems("gateway: *other")[0]).toMatch(/^serialcast\.yaml: Unresolved alias/)
  expect(problems("- gateway")).toEqual(["serialcast.yaml: expected a map, found a list"])
})

test("a section without keys is like no section", () => {
  expect(load("http:\n  # listen: x\nlog: { level: debug }").http.hexServer).toBe(true)
  expect(load("").gateway).toBe("local")
})

test("a named file must be there; the argument goes before the environment", () => {
  const env = { SERIALCAST_CONFIG: "other.yaml" }
  expect(() => loadConfig({ env, directory })).toThrow(
    "The configuration file other.yaml cannot be read: there is no such file.",
  )
  writeFileSync(join(directory, "mine.yaml"), "gateway: mine")
  expect(loadConfig({ file: "mine.yaml", env, directory })).toMatchObject({
    gateway: "mine",
    source: "mine.yaml",
  })
})

test("variables go before the file", () => {
  const config = load("http: { listen: '127.0.0.1:1', hexServer: true }\naccess: { hosts: [box.lan] }", {
    SERIALCAST_HTTP_LISTEN: "[::1]:0",
    SERIALCAST_HTTP_HEX_SERVER: "false",
    SERIALCAST_RESOURCES_MAX_URI: "200",
    SERIALCAST_HTTP_DEFAULT_DEVICE: "local/uno",
    SERIALCAST_BROKER_CLIENT_BUFFER_BYTES: "65536",
    SERIALCAST_ACCESS_TOKEN_FILE: "/run/token",
    SERIALCAST_DISCOVER: "open",
    SERIALCAST_LOG_LEVEL: "",
    SERIALCAST_BIND: "0.0.0.0",
    HOME: "/root",
  })
  expect(config.http).toEqual({
    listen: { host: "::1", port: 0 },
    hexServer: false,
    defaultDevice: "local/uno",
  })
  expect([config.broker.clientBufferBytes, config.resources.maxUri]).toEqual([65_536, 200])
  expect(config.access).toEqual({ open: false, tokenFile: "/run/token", hosts: ["box.lan"] })
  expect([config.discover, config.log.level]).toEqual(["open", "info"])
})

test("problems with variables are named by the variable", () => {
  const env = {
    SERIALCAST_HTTP_HEX_SERVER: "yes",
    SERIALCAST_RESOURCES_MAX_URI: "1e3",
    SERIALCAST_HTTP_LISTN: "127.0.0.1:1",
    SERIALCAST_ACCESS: "open",
    SERIALCAST_ACCESS_TOKEN_FILE: "/run/token",
  }
  expect(problems("", env)).toEqual([
    'SERIALCAST_HTTP_HEX_SERVER: expected true or false, found "yes"',
    'SERIALCAST_RESOURCES_MAX_URI: expected a number from 1 to 16384, found "1e3"',
    "SERIALCAST_HTTP_LISTN: unknown variable; did you mean SERIALCAST_HTTP_LISTEN?",
    "SERIALCAST_ACCESS_TOKEN_FILE: cannot be set together with SERIALCAST_ACCESS",
  ])
})

test("a listener that others can reach needs a word about access", () => {
  const yaml = "http: { listen: '*:8081' }"
  const env = { SERIALCAST_ADMIN_LISTEN: "0.0.0.0:9090", SERIALCAST_GATEWAY: "Box" }
  const fix =
    "and nothing says who may use it; name a token file in access.tokenFile, or listen on 127.0.0.1, or set `access: open`"
  expect(problems(yaml, env).slice(1)).toEqual([
    `http.listen: other machines can reach *:8081, ${fix}`,
    `SERIALCAST_ADMIN_LISTEN: other machines can reach 0.0.0.0:9090, ${fix}`,
  ])
  expect(load(`${yaml}\naccess: open`).access.open).toBe(true)
  expect(load(yaml, { SERIALCAST_ACCESS_TOKEN_FILE: "/run/token" }).http.listen.host).toBe("*")
  expect(problems(`${yaml}\naccess: { hosts: [box.lan] }`)).toHaveLength(1)
})

test("values may be given in place of a file, and problems call keys what the user does", () => {
  const given = { values: { gateway: "bench" }, env: { SERIALCAST_CONFIG: "not-there.yaml" } }
  expect(loadConfig(given)).toMatchObject({ gateway: "bench", source: null })
  const nameOf = (path: readonly PropertyKey[]) => `--${path.map(String).join("-")}`
  expect(() => loadConfig({ values: { log: { level: "loud" } }, env: {}, nameOf })).toThrow(
    /^--log-level: expected/,
  )
})

test("the example of a configuration is one", () => {
  const file = fileURLToPath(new URL("../../../../config/serialcast.example.yaml", import.meta.url))
  const { devices, tunnels } = loadConfig({ file, env: {} })
  expect(Object.keys(devices).length).toBeGreaterThan(0)
  expect(tunnels.map(({ type }) => type)).toEqual(["raw", "rfc2217"])
})
