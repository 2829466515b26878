import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { openPty } from "@serialcast/testkit"
import { describe, expect, onTestFinished, test } from "vitest"

const packageFolder = fileURLToPath(new URL("../..", import.meta.url))

/** Logs more than any pipe or terminal holds, then answers HTTP at the port that it prints. */
const script = `
  import { createServer } from "node:http"
  import { runMain } from "@serialcast/service-kit"
  await runMain({ name: "test", start: async (config, { log }) => {
    for (let line = 0; line < 20_000; line++) log.info({ line }, "a line of the log that nobody reads")
    const server = createServer((request, response) => {
      log.info("asked")
      response.end("alive")
    })
    server.listen(0, "127.0.0.1", () => console.log(server.address().port))
    return { name: "test", isReady: () => true, stop: async () => log.info("stop called") }
  } })`

function spawnLogging(standardError: "pipe" | number): ChildProcess {
  const child = spawn(
    process.execPath,
    ["--conditions=@serialcast/source", "--import", "tsx", "--input-type=module", "--eval", script],
    {
      cwd: packageFolder,
      env: { PATH: process.env["PATH"], SERIALCAST_ADMIN_LISTEN: "127.0.0.1:0" },
      stdio: ["ignore", "pipe", standardError],
    },
  )
  onTestFinished(() => void child.kill("SIGKILL"))
  return child
}

async function expectAliveAndEnding(child: ChildProcess): Promise<void> {
  const [port] = await once(child.stdout!.setEncoding("utf8"), "data")
  const answer = await fetch(`http://127.0.0.1:${String(port).trim()}/`)
  expect(await answer.text()).toBe("alive")
  const exited = once(child, "exit")
  child.kill("SIGTERM")
  expect(await exited).toEqual([0, null])
}

function createFifo(): number {
  const directory = mkdtempSync(join(tmpdir(), "serialcast-log-"))
  const path = join(directory, "fifo")
  execFileSync("/usr/bin/env", ["mkfifo", path])
  const descriptor = openSync(path, constants.O_RDWR)
  onTestFinished(() => {
    closeSync(descriptor)
    rmSync(directory, { recursive: true })
  })
  return descriptor
}

// Starting Node with a TypeScript loader takes seconds on a busy machine; a process that waits fails by the time limit.
describe("a log that nobody reads stops neither the process nor its end", () => {
  test("on a socket", async () => {
    const child = spawnLogging("pipe")
    child.stderr!.pause()
    await expectAliveAndEnding(child)
  })

  test("on a pipe, which got what it holds", async () => {
    const fifo = createFifo()
    await expectAliveAndEnding(spawnLogging(fifo))
    const taken = new Uint8Array(4096)
    expect(readSync(fifo, taken)).toBe(4096)
    expect(new TextDecoder().decode(taken)).toMatch(/^\{"level":"info".*"line":0,.*\n/)
  })

  test("on a terminal that is stopped", async () => {
    await using terminal = await openPty()
    execFileSync("stty", ["-F", terminal.path, "ixon"])
    const descriptor = openSync(terminal.path, constants.O_RDWR | constants.O_NOCTTY)
    onTestFinished(() => closeSync(descriptor))
    const ctrlS = 0x13
    await terminal.write(Uint8Array.of(ctrlS))
    await expectAliveAndEnding(spawnLogging(descriptor))
    expect(terminal.received).toBe(0)
  })
})
