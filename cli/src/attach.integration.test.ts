import { eventually } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { listenAsDevice } from "./testing/listen-as-device.ts"
import { spawnGateway } from "./testing/spawn-gateway.ts"
import { spawnInTerminal } from "./testing/spawn-in-terminal.ts"
import { startTestAll } from "./testing/start-test-all.ts"

const escape = "\u001d"

async function attach(mqttUrl: string, ...args: readonly string[]) {
  const cli = await spawnInTerminal(["attach", "--broker", mqttUrl, ...args])
  const modes = cli.modes()
  await cli.find(/attached to local\/pty/)
  return { ...cli, isRestored: () => cli.modes() === modes }
}

describe("attach", () => {
  test("every byte passes both ways as it is, and Ctrl-] leaves the terminal as it was", async () => {
    await using all = await startTestAll()
    const cli = await attach(all.mqttUrl)
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    await all.pty.write(bytes)
    await cli.find(String.fromCharCode(...bytes))
    const typed = bytes.filter((byte) => byte !== escape.charCodeAt(0))
    await cli.type(typed)
    expect(await all.pty.read(typed.byteLength)).toEqual(typed)
    expect(cli.isRestored()).toBe(false)
    await cli.type(`bye${escape}`)
    expect(await all.pty.read(3)).toEqual(new TextEncoder().encode("bye"))
    expect(await cli.exited).toBe(0)
    await cli.find(/left local\/pty/)
    expect(cli.isRestored()).toBe(true)
  })

  test.each(["SIGTERM", "SIGHUP", "SIGINT"] as const)("%s restores the terminal", async (signal) => {
    await using all = await startTestAll()
    const cli = await attach(all.mqttUrl)
    expect(cli.isRestored()).toBe(false)
    cli.child.kill(signal)
    expect(await cli.exited).toBe(0)
    expect(cli.isRestored()).toBe(true)
  })

  test("shows what came before", async () => {
    await using all = await startTestAll()
    await all.pty.write(new TextEncoder().encode("old news"))
    const cli = await attach(all.mqttUrl, "pty", "--from", "-4")
    await cli.find(/leaves\S*\s+news/)
  })

  test("says when the device goes and comes, and sends nothing later that was typed meanwhile", async () => {
    await using device = await listenAsDevice()
    const { mqttUrl } = await spawnGateway({ pty: `{ port: "tcp://127.0.0.1:${device.port}" }` })
    const cli = await attach(mqttUrl)
    await cli.type("a")
    await device.received("a")
    await device.goAway()
    await cli.find("-- local/pty is offline: ")
    await cli.type("lost")
    await cli.find("-- not sent: ")
    await device.comeBack()
    await cli.find("-- local/pty is online")
    await cli.type("b")
    await device.received("ab")
    await cli.type(escape)
    expect(await cli.exited).toBe(0)
    expect(cli.isRestored()).toBe(true)
  })

  test("what a program says to the device, and it answers, is not on the screen; what it is about is", async () => {
    await using all = await startTestAll()
    const cli = await attach(all.mqttUrl)
    const lease = `${all.httpUrl}/api/v1/devices/local/pty/lease`
    const taken = await fetch(lease, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ purpose: "put main.py" }),
    })
    const { token } = (await taken.json()) as { token: string }
    await cli.find(/: put main\.py/)
    await all.pty.write(new TextEncoder().encode("raw REPL\r\n>>> "))
    await eventually(async () => {
      const kept = await fetch(`${all.httpUrl}/api/v1/devices/local/pty/history?from=start`)
      expect(await kept.text()).toContain("raw REPL\r\n>>> ")
    })
    const gone = await fetch(lease, { method: "DELETE", headers: { lease: token } })
    expect(gone.status).toBe(204)
    await cli.find(/, done/)
    await all.pty.write(new TextEncoder().encode("news"))
    // Each byte is a character there: those of the dots, too.
    await cli.find(/: put main\.py (?:(?!raw REPL)[\s\S])+: put main\.py, done\S*\s+>>> news/)
  })

  test("--exclusive keeps others from writing, tells them, and lets them when it leaves", async () => {
    await using all = await startTestAll()
    const holder = await attach(all.mqttUrl, "--exclusive")
    const other = await attach(all.mqttUrl)
    await other.type("x")
    await other.find(/-- not sent: .* holds the device/)
    await holder.type(`mine${escape}`)
    expect(await all.pty.read(4)).toEqual(new TextEncoder().encode("mine"))
    expect(await holder.exited).toBe(0)
    await other.type("y")
    expect(await all.pty.read(1)).toEqual(new TextEncoder().encode("y"))
  })

  test("a lease that was taken away ends it with an error, on a terminal as it was", async () => {
    await using all = await startTestAll()
    const cli = await attach(all.mqttUrl, "--exclusive")
    await all.all.devices.device("local/pty").lease({ by: "thief", ttlMs: 60_000, steal: true })
    await cli.find(/serialcast attach: Somebody else may write to local\/pty now/)
    expect(await cli.exited).toBe(1)
    expect(cli.isRestored()).toBe(true)
  })

  test("--readonly sends nothing, and another key can be the one that leaves", async () => {
    await using all = await startTestAll()
    const cli = await attach(all.mqttUrl, "--readonly", "--escape", "^A")
    await cli.type(`x${escape}`)
    await all.pty.write(new TextEncoder().encode("still here"))
    await cli.find(/still here/)
    expect(all.pty.received).toBe(0)
    await cli.type("\u0001")
    expect(await cli.exited).toBe(0)
  })
})
