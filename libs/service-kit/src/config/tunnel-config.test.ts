import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { AppError } from "@serialcast/contract"
import { createTemporaryFolder } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { loadConfig } from "./load-config.ts"

function load(tunnels: string, more = "") {
  using folder = createTemporaryFolder()
  const file = join(folder.path, "serialcast.yaml")
  writeFileSync(file, `tunnels:\n${tunnels}\n${more}`)
  return loadConfig({ file, env: {} })
}

function problems(tunnels: string, more = ""): readonly string[] {
  try {
    load(tunnels, more)
    return []
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    return (error as AppError).message.split("\n")
  }
}

test("a tunnel needs its kind, its device, and where it listens or connects", () => {
  const { tunnels } = load(`
  - { type: raw, listen: "127.0.0.1:7001", device: local/uno }
  - { type: rfc2217, listen: "[::1]:7002", device: local/uno }
  - { type: serialtcp-server, listen: "127.0.0.1:1234", device: local/cable }
  - { type: serialtcp-client, connect: "192.168.0.1:22", device: local/cable }`)
  const listener = { allow: null, idleTimeoutMs: null }
  const shared = {
    ...listener,
    device: "local/uno",
    maxClients: 32,
    allowHttp: false,
    onUnplug: "keep",
    replayBytes: 0,
  }
  const cable = {
    device: "local/cable",
    timeoutMs: 10_000,
    syncTimeoutMs: null,
    silenceMs: 50,
    graceMs: 1_000,
    idleTimeoutMs: null,
  }
  expect(tunnels).toEqual([
    { type: "raw", listen: { host: "127.0.0.1", port: 7001 }, ...shared, readOnly: false },
    {
      type: "rfc2217",
      listen: { host: "::1", port: 7002 },
      ...shared,
      control: "exclusive",
      lines: "pass",
      macros: { reset: "D0R1|W0.1|R0", bootloader: "D0R1|W0.1|D1R0|W0.05|D0" },
      restoreSettings: false,
    },
    {
      type: "serialtcp-server",
      listen: { host: "127.0.0.1", port: 1234 },
      ...listener,
      ...cable,
      whenBusy: "queue",
    },
    { type: "serialtcp-client", connect: { host: "192.168.0.1", port: 22 }, ...cable },
  ])
})

test("all problems of tunnels are told, each with its place in the list", () => {
  expect(
    problems(`
  - { type: raw, listen: "127.0.0.1:7001", device: uno, replay: 4MiB, alow: [] }
  - { type: rfc2217, listen: "127.0.0.1:7002", device: local/uno, control: me, macros: { reset: D5 } }
  - { type: serial, listen: "127.0.0.1:7003", device: local/uno }
  - { type: serialtcp-client, connect: "192.168.0.1", device: local/uno, timeout: 10 }`),
  ).toEqual([
    'tunnels.0.device: expected a device address like local/uno, found "uno"',
    "tunnels.0.replay: expected a size of at most 1MiB, like 4KiB, found 4194304",
    "tunnels.0.alow: unknown key; did you mean allow?",
    'tunnels.1.control: expected exclusive or shared, found "me"',
    'tunnels.1.macros.reset: expected a macro like D0|R1|W0.1|R0, found "D5"',
    'tunnels.2.type: expected raw, rfc2217, serialtcp-server or serialtcp-client, found "serial"',
    'tunnels.3.connect: expected a server like 192.168.0.1:22, [::1]:22 or pi.local:22, found "192.168.0.1"',
    "tunnels.3.timeout: expected a duration like 500ms, 5s, 12h or 30d, found 10",
  ])
  expect(problems("  raw")).toEqual(['tunnels: expected a list of tunnels, found "raw"'])
  expect(problems("  - { device: local/uno }")).toEqual([
    "tunnels.0.type: expected raw, rfc2217, serialtcp-server or serialtcp-client, found nothing",
  ])
  const one = `  - { type: raw, listen: "127.0.0.1:0", device: local/uno }\n`
  expect(problems(one.repeat(65))).toEqual(["tunnels: expected at most 64 tunnels, found a list"])
})

test("tunnels that stand in each other's way are told, and keys that only other types have", () => {
  expect(
    problems(`
  - { type: raw, listen: "127.0.0.1:7001", device: local/uno, lines: pass }
  - { type: serialtcp-client, connect: "pi:22", device: local/cable, listen: "127.0.0.1:1" }`),
  ).toEqual(["tunnels.0.lines: a key of another type", "tunnels.1.listen: a key of another type"])
  expect(
    problems(`
  - { type: raw, listen: "127.0.0.1:7001", device: local/uno }
  - { type: rfc2217, listen: "127.0.0.1:7001", device: local/uno }
  - { type: serialtcp-server, listen: "[::1]:7001", device: local/cable }
  - { type: raw, listen: "127.0.0.1:0", device: local/uno }
  - { type: raw, listen: "127.0.0.1:0", device: local/gps }`),
  ).toEqual([
    'tunnels.1.listen: expected another port than that of tunnels.0.listen (127.0.0.1:7001), found "127.0.0.1:7001"',
  ])
})

test.each(["*:22", "192.168.0.1:0", "192.168.0.1:65536"])("nobody connects to %s", (server) =>
  expect(problems(`  - { type: serialtcp-client, connect: "${server}", device: local/uno }`)).toEqual([
    `tunnels.0.connect: expected a server like 192.168.0.1:22, [::1]:22 or pi.local:22, found "${server}"`,
  ]),
)

test("a server may have a name of any kind", () => {
  expect(
    load(`  - { type: serialtcp-client, connect: "my_app.lan:22", device: local/uno }`).tunnels,
  ).toMatchObject([{ connect: { host: "my_app.lan", port: 22 } }])
})

test.each(["1.2.3.4/33", "1.2.3/24", "::/129", "10.0.0.0/8/8", "all", "1.2.3.4/"])(
  "%s is no network",
  (network) =>
    expect(
      problems(`  - { type: raw, listen: "127.0.0.1:1", device: local/uno, allow: ["${network}"] }`),
    ).toEqual([
      `tunnels.0.allow.0: expected a network like 192.168.1.0/24, 10.0.0.7 or fd00::/8, found "${network}"`,
    ]),
)

test("a tunnel that others can reach needs a word about who may; a token is none, as nothing asks for it", () => {
  const tunnel = `  - { type: raw, listen: "*:7001", device: local/uno`
  const problem =
    "tunnels.0.listen: other machines can reach *:7001, and nothing says who may use it; " +
    "name the networks that may connect in allow, or listen on 127.0.0.1, or set `access: open`"
  expect(problems(`${tunnel} }`)).toEqual([problem])
  expect(problems(`${tunnel} }`, "access: { tokenFile: /run/token }")).toEqual([problem])
  expect(problems(`${tunnel}, allow: [192.168.1.0/24, "fd00::/8", 10.0.0.7] }`)).toEqual([])
  expect(problems(`${tunnel} }`, "access: open")).toEqual([])
})
