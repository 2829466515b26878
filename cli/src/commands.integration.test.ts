import { once } from "node:events"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { concatBytes } from "@serialcast/primitives"
import { checkCounting, countingBytes, createTemporaryFolder, eventually } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { type SpawnedCli, spawnCli } from "./testing/spawn-cli.ts"
import { spawnGateway } from "./testing/spawn-gateway.ts"
import { spawnInTerminal } from "./testing/spawn-in-terminal.ts"
import { startTestAll } from "./testing/start-test-all.ts"

const encoder = new TextEncoder()

/** The bytes of standard output from now on to its end. */
async function outputOf({ child }: SpawnedCli): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  // The text of spawnCli is decoded; these are not.
  child.stdout.removeAllListeners("data").setEncoding("latin1")
  child.stdout.on("data", (text: string) => parts.push(Uint8Array.from(text, (char) => char.charCodeAt(0))))
  await once(child.stdout, "end")
  return concatBytes(parts)
}

describe("every command", () => {
  test("a broker that is not there is one sentence", async () => {
    const cli = spawnCli(["devices", "--broker", "mqtt://127.0.0.1:9"])
    expect(await cli.exited).toBe(1)
    expect(cli.stderr.text).toMatch(
      /^serialcast \w+: No broker answered at mqtt:\/\/127\.0\.0\.1:9 within 5 s.*serialcast up.*--broker[^\n]*\n$/,
    )
  })

  test("a device that is not there is told with what is", async () => {
    await using all = await startTestAll()
    const cli = spawnCli(["tail", "uno", "--broker", all.mqttUrl])
    expect(await cli.exited).toBe(1)
    expect(cli.stderr.text).toContain('There is no device "uno"; there are local/pty')
  })
})

describe("devices", () => {
  test("lists them for people and for programs, and follows changes until Ctrl-C", async () => {
    const gateway = await spawnGateway({
      echo: "{ port: sim:echo }",
      gone: "{ port: /dev/serialcast-not-there }",
    })
    const cli = spawnCli(["devices", "--broker", gateway.mqttUrl])
    expect(await cli.exited).toBe(0)
    expect(cli.stdout.text).toMatch(
      /^DEVICE +STATE +PORT .*\nlocal\/echo +online +sim:echo +115200 8N1 +simulated .*\nlocal\/gone +offline .* is not there.*\n$/,
    )
    const watching = spawnCli(["devices", "--json", "--watch", "--broker", gateway.mqttUrl])
    const [line = ""] = await watching.stdout.find(/^.*\n/)
    expect(JSON.parse(line)).toMatchObject({ gateway: "local", device: "echo", online: true })
    gateway.cli.child.kill("SIGTERM")
    await watching.stdout.find(/"device":"echo","online":false.*\n/)
    watching.child.kill("SIGINT")
    expect(await watching.exited).toBe(0)
  })
})

describe("tail", () => {
  test("gives a pipe the exact bytes, a million and more, and ends after --count", async () => {
    await using all = await startTestAll()
    const sent = countingBytes(0, 1_500_000)
    await all.pty.write(sent)
    const cli = spawnCli(["tail", "--from", "start", "--count", "1400000", "--broker", all.mqttUrl])
    const output = await outputOf(cli)
    expect(await cli.exited).toBe(0)
    expect(output.byteLength).toBe(1_400_000)
    expect(checkCounting(output, 0)).toBeUndefined()
  })

  test("with json, marks are events, and reading goes on from any cursor with nothing missing", async () => {
    await using all = await startTestAll()
    await all.pty.write(encoder.encode("one two"))
    const args = ["tail", "--format", "json", "--broker", all.mqttUrl]
    const first = spawnCli([...args, "--from", "start", "--count", "4"])
    expect(await first.exited).toBe(0)
    const events = first.stdout.text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { event: string; cursor: string; hex?: string })
    expect(events.map(({ event }) => event)).toEqual(expect.arrayContaining(["positioned", "mark", "bytes"]))
    const second = spawnCli([...args, "--from", events.at(-1)!.cursor, "--count", "3"])
    expect(await second.exited).toBe(0)
    expect(second.stdout.text).toContain(`"hex":"74776F"`)
    expect(first.stderr.text).toBe("")
  })

  test("tells marks on standard error, and ends with 0 at Ctrl-C even when nobody takes its output", async () => {
    await using all = await startTestAll()
    const cli = spawnCli(["tail", "--from", "start", "--broker", all.mqttUrl])
    await cli.stderr.find(/-- port opened \(1\)\n/)
    cli.child.stdout.pause()
    await all.pty.write(countingBytes(0, 1_000_000))
    cli.child.kill("SIGINT")
    expect(await once(cli.child, "exit")).toEqual([0, null])
  })

  test("ends quietly when whoever reads it has enough", async () => {
    await using all = await startTestAll()
    const cli = spawnCli(["tail", "--broker", all.mqttUrl, "--from", "start"])
    await cli.stderr.find(/port opened/)
    cli.child.stdout.destroy()
    await all.pty.write(encoder.encode("too much"))
    expect(await once(cli.child, "exit")).toEqual([0, null])
    expect(cli.stderr.text).not.toContain("EPIPE")
  })
})

describe("history", () => {
  test("copies the exact bytes, into a pipe or a file, and ends by itself", async () => {
    await using all = await startTestAll()
    using folder = createTemporaryFolder()
    const sent = countingBytes(0, 1_500_000)
    await all.pty.write(sent)
    const piped = spawnCli(["history", "--broker", all.mqttUrl])
    const output = await outputOf(piped)
    expect(await piped.exited).toBe(0)
    expect(output.byteLength).toBe(sent.byteLength)
    expect(checkCounting(output, 0)).toBeUndefined()
    const path = join(folder.path, "pty.bin")
    const filed = spawnCli(["history", "pty", "-o", path, "--from", "-1000", "--broker", all.mqttUrl])
    expect(await filed.exited).toBe(0)
    expect(new Uint8Array(await readFile(path))).toEqual(sent.subarray(-1_000))
  })

  test("stops before what is not kept any more, with exit code 3 and the cursor to go on from", async () => {
    await using all = await startTestAll()
    await all.pty.write(encoder.encode("kept"))
    const lost = spawnCli(["history", "--from", "00000000000000aa-7", "--broker", all.mqttUrl])
    expect(await lost.exited).toBe(3)
    expect(lost.stdout.text).toBe("")
    const [, cursor = ""] = await lost.stderr.find(/gap: .* not kept any more.* Go on with --from (\S+)\n/)
    const rest = spawnCli(["history", "--from", cursor, "--broker", all.mqttUrl])
    expect(await rest.exited).toBe(0)
    expect(rest.stdout.text).toBe("kept")
  })

  test("on a terminal, which would obey them, control characters come out visible", async () => {
    await using all = await startTestAll()
    await all.pty.write(encoder.encode("a\u001b[2147483647Lb"))
    const cli = await spawnInTerminal(["history", "--broker", all.mqttUrl])
    await cli.find("a\\x1B[2147483647Lb")
    expect(await cli.exited).toBe(0)
  })

  test("a place that there is not leaves the file as it was", async () => {
    await using all = await startTestAll()
    using folder = createTemporaryFolder()
    const path = join(folder.path, "pty.bin")
    await writeFile(path, "earlier")
    const { epoch } = all.all.devices.devices.get("local/pty")!
    const cli = spawnCli(["history", "-o", path, "--from", `${epoch}-999`, "--broker", all.mqttUrl])
    expect(await cli.exited).toBe(1)
    expect(await readFile(path, "utf8")).toBe("earlier")
  })
})

describe("write", () => {
  test("text, hex, files and pipes reach the device as they are, each with its receipt", async () => {
    await using all = await startTestAll()
    const broker = ["--broker", all.mqttUrl]
    const text = spawnCli(["write", "pty", "AT", "--eol", "crlf", ...broker])
    expect(await text.exited).toBe(0)
    expect(text.stdout.text).toMatch(
      /^Wrote 4 bytes at 20.*Z: tx [0-9a-f]{16}-0\S* to [0-9a-f]{16}-4\S*\.\n$/,
    )
    expect(await all.pty.read(4)).toEqual(encoder.encode("AT\r\n"))
    const hex = spawnCli(["write", "--hex", "00 FF 1b", "--json", ...broker])
    expect(await hex.exited).toBe(0)
    expect(JSON.parse(hex.stdout.text)).toMatchObject({ bytes: 3 })
    expect(await all.pty.read(3)).toEqual(Uint8Array.of(0, 255, 27))
    const piped = spawnCli(["write", "pty", "--file", "-", ...broker])
    piped.child.stdin.end(countingBytes(0, 100_000))
    expect(checkCounting(await all.pty.read(100_000), 0)).toBeUndefined()
    expect(await piped.exited).toBe(0)
  })

  test("--stream writes what comes, as it comes", async () => {
    await using all = await startTestAll()
    const cli = spawnCli(["write", "pty", "--file", "-", "--stream", "--broker", all.mqttUrl])
    cli.child.stdin.write("first")
    expect(await all.pty.read(5)).toEqual(encoder.encode("first"))
    cli.child.stdin.end(countingBytes(0, 1_000_000))
    expect(checkCounting(await all.pty.read(1_000_000), 0)).toBeUndefined()
    expect(await cli.exited).toBe(0)
    expect(cli.stdout.text).toBe("Wrote 1000005 bytes.\n")
  })

  test("Ctrl-C takes back what was not written yet, and says how much was", async () => {
    // A million bytes take it more than a minute.
    const { mqttUrl } = await spawnGateway({ slow: "{ port: sim:echo }" })
    const cli = spawnCli(["write", "slow", "--file", "-", "--broker", mqttUrl])
    cli.child.stdin.end(new Uint8Array(1_000_000))
    const watching = spawnCli([
      "tail",
      "--stream",
      "tx",
      "--from",
      "start",
      "--count",
      "1",
      "--broker",
      mqttUrl,
    ])
    expect(await watching.exited).toBe(0)
    cli.child.kill("SIGINT")
    expect(await cli.exited).toBe(1)
    expect(cli.stderr.text).toMatch(/^serialcast write: [^\n]*\d+ of 1000000 bytes[^\n]*\n$/)
  })

  test("Ctrl-C while it waits for input writes nothing", async () => {
    await using all = await startTestAll()
    const cli = spawnCli(["write", "pty", "--file", "-", "--broker", all.mqttUrl])
    // More than a pipe holds: when all of it is gone, it is being read.
    cli.child.stdin.write(new Uint8Array(1_000_000))
    await eventually(() => expect(cli.child.stdin.writableLength).toBe(0))
    cli.child.kill("SIGINT")
    expect(await cli.exited).toBe(1)
    expect(cli.stderr.text).toMatch(/^serialcast write: Nothing was written\./)
    expect(all.pty.received).toBe(0)
  })

  test("a device that is offline, or a file that cannot be read, is one sentence", async () => {
    const { mqttUrl } = await spawnGateway({ gone: "{ port: /dev/serialcast-not-there }" })
    const unread = spawnCli(["write", "gone", "--file", "not-there", "--broker", mqttUrl])
    expect(await unread.exited).toBe(1)
    expect(unread.stderr.text).toMatch(/^serialcast write: not-there cannot be read: [^\n]*\n$/)
    const refused = spawnCli(["write", "gone", "x", "--broker", mqttUrl])
    expect(await refused.exited).toBe(1)
    expect(refused.stderr.text).toMatch(/^serialcast write: local\/gone is offline[^\n]*\n$/)
  })
})
