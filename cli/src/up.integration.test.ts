import { once } from "node:events"
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { type AddressInfo, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createTemporaryFolder, openPty } from "@serialcast/testkit"
import { connectAsync } from "mqtt"
import { describe, expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { readEvents } from "./testing/read-events.ts"
import { spawnCli } from "./testing/spawn-cli.ts"

async function temporaryFile(name: string, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "serialcast-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, name), text)
  return join(folder, name)
}

describe("up", () => {
  test("without a file serves three simulated devices, says where, and stops at Ctrl-C with clients connected", async () => {
    const cli = spawnCli(["up"])
    const [, page = ""] = await cli.stdout.find(/Page +(http:\S+)\//)
    const [, http = ""] = await cli.stdout.find(/HTTP +(http:\S+)\/api/)
    const [, mqttUrl = ""] = await cli.stdout.find(/MQTT +(mqtt:\S+)/)
    await cli.stdout.find(/Ctrl-C stops it/)
    expect(cli.stdout.text).toMatch(/● +local\/demo-echo +sim:echo/)
    expect(cli.stdout.text).toMatch(/● +local\/demo-micropython +sim:micropython/)
    expect(cli.stdout.text).toMatch(/● +local\/demo-sensor +sim:sensor/)
    const mqtt = await connectAsync(mqttUrl)
    const socket = new WebSocket(`${page.replace("http", "ws")}/ws`)
    await once(socket, "open")
    const reading = readEvents(`${http}/api/v1/devices/local/demo-echo/stream`, {
      signal: new AbortController().signal,
    })
    await reading.next()
    const write = await fetch(`${http}/writebytes/48656C6C6F`)
    expect(await write.text()).toBe("Ok")
    expect(await reading.next()).toMatchObject({ value: { event: "bytes", data: "48656C6C6F" } })
    cli.child.kill("SIGINT")
    expect(await cli.exited).toBe(0)
    expect(cli.stderr.text).not.toMatch(/\n +at /)
    await mqtt.endAsync(true)
  })

  test("goes on after a SIGHUP, and says so", async () => {
    const cli = spawnCli(["up"])
    await cli.stdout.find(/Ctrl-C stops it/)
    cli.child.kill("SIGHUP")
    await cli.stderr.find(/SIGHUP changes nothing/)
    cli.child.kill("SIGTERM")
    expect(await cli.exited).toBe(0)
  })

  test("a port in use is one clear line", async () => {
    const blocker = createServer().listen(0, "127.0.0.1")
    onTestFinished(() => void blocker.close())
    await once(blocker, "listening")
    const { port } = blocker.address() as AddressInfo
    const cli = spawnCli(["up"], { SERIALCAST_HTTP_LISTEN: `127.0.0.1:${port}` })
    expect(await cli.exited).toBe(1)
    const failure = cli.stderr.text.split("\n").filter((line) => line.startsWith("serialcast"))
    expect(failure).toEqual([
      expect.stringMatching(`^serialcast up: Port ${port} \\(http\\) is in use by another program`),
    ])
    expect(cli.stderr.text).not.toMatch(/\n +at /)
  })

  test("a broker's folder that another one uses is one clear line", async () => {
    const folder = createTemporaryFolder()
    onTestFinished(() => folder[Symbol.dispose]())
    const first = spawnCli(["up"], { SERIALCAST_BROKER_DIR: folder.path })
    await first.stdout.find(/Ctrl-C stops it/)
    const second = spawnCli(["up"], { SERIALCAST_BROKER_DIR: folder.path })
    expect(await second.exited).toBe(1)
    expect(second.stderr.text).toMatch(
      /^serialcast up: [^\n]* is used by another broker: process \d+\. Stop the other broker[^\n]*\n$/,
    )
    first.child.kill("SIGTERM")
    expect(await first.exited).toBe(0)
  })

  test("a bad configuration key is one clear line with its path", async () => {
    const file = await temporaryFile("lab.yaml", "devices:\n  uno: { port: /dev/ttyUSB0, baudrate: 9600 }\n")
    const cli = spawnCli(["up", "--config", file])
    expect(await cli.exited).toBe(1)
    expect(cli.stderr.text).toMatch(/^serialcast up: [^\n]*devices\.uno\.baudrate[^\n]*baudRate[^\n]*\n$/)
  })

  test("two listeners at one port are one clear line that names both keys, and nothing starts", async () => {
    const tunnel = "{ type: raw, listen: '*:8081', device: local/demo-echo, allow: [10.0.0.0/8] }"
    const file = await temporaryFile("lab.yaml", `tunnels: [${tunnel}]\n`)
    const cli = spawnCli(["up", "--config", file], { SERIALCAST_HTTP_LISTEN: "127.0.0.1:8081" })
    expect(await cli.exited).toBe(1)
    expect(cli.stderr.text).toMatch(
      /^serialcast up: tunnels\.0\.listen: [^\n]*SERIALCAST_HTTP_LISTEN \(127\.0\.0\.1:8081\)[^\n]*\n$/,
    )
    expect(cli.stdout.text).toBe("")
  })

  test("a device that cannot be opened is one clear line, and everything else is served", async () => {
    const file = await temporaryFile(
      "lab.yaml",
      "devices:\n  gone: { port: /dev/serialcast-not-there }\n  demo: { port: sim:echo }\n",
    )
    const cli = spawnCli(["up", "--config", file])
    await cli.stdout.find(/Ctrl-C stops it/)
    expect(cli.stdout.text).toMatch(/○ +local\/gone .*\/dev\/serialcast-not-there is not there/)
    expect(cli.stdout.text).toMatch(/● +local\/demo /)
    const lines = cli.stderr.text
      .split("\n")
      .filter((line) => line.includes("serialcast-not-there is not there"))
    expect(lines).toHaveLength(1)
    expect(cli.stderr.text).not.toMatch(/\n +at /)
    cli.child.kill("SIGTERM")
    expect(await cli.exited).toBe(0)
  })
})

describe("the list of devices", () => {
  test("two devices on one port are told once in the list and once in the log, by both their names", async () => {
    await using pty = await openPty()
    const link = await temporaryFile("board", "")
    await rm(link)
    await symlink(pty.path, link)
    const devices = `{ uno: { port: ${pty.path} }, nano: { port: ${link} } }`
    const cli = spawnCli(["up", "--config", await temporaryFile("lab.yaml", `devices: ${devices}\n`)])
    await cli.stdout.find(/Ctrl-C stops it/)
    cli.child.kill("SIGTERM")
    expect(await cli.exited).toBe(0)
    const told = /The ports of uno and nano are both \S+, which is left to uno\./g
    expect(cli.stdout.text.match(told)).toHaveLength(1)
    expect(cli.stderr.text.match(told)).toHaveLength(1)
    expect(cli.stdout.text).toMatch(/● +local\/uno .*\n/)
  })

  test("a device that is plugged in later is told in one line, without a terminal too", async () => {
    await using pty = await openPty()
    const link = await temporaryFile("board", "")
    await rm(link)
    const file = await temporaryFile("lab.yaml", `devices:\n  board: { port: ${link}, baudRate: 9600 }\n`)
    const cli = spawnCli(["up", "--config", file])
    await cli.stdout.find(/Ctrl-C stops it/)
    expect(cli.stdout.text).toMatch(/○ +local\/board +\S+ +.*is not there/)
    const banner = cli.stdout.text
    await symlink(pty.path, link)
    await cli.stdout.find(/● +local\/board .*\n/)
    cli.child.kill("SIGTERM")
    expect(await cli.exited).toBe(0)
    expect(cli.stdout.text.slice(banner.length).trimStart()).toBe(
      `●   local/board   ${link}   9600 8N1   open\n`,
    )
  })
})

describe("the command line", () => {
  test("--help explains itself", async () => {
    const cli = spawnCli(["--help"])
    expect(await cli.exited).toBe(0)
    expect(cli.stdout.text).toContain("serialcast up")
  })

  test("an unknown command or option is refused with the help", async () => {
    for (const args of [["fly"], ["up", "--fast"]]) {
      const cli = spawnCli(args)
      expect(await cli.exited).toBe(2)
      expect(cli.stderr.text).toContain("Usage")
    }
  })
})
