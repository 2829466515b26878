import { access, constants, mkdtemp, rm, stat } from "node:fs/promises"
import { createConnection } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { createDeferred, systemClock, withDeadline } from "@serialcast/primitives"
import { expect, onTestFinished, test } from "vitest"
import { type RunningProgram, run, startProgram } from "./program.ts"
import { readByCurl } from "./reader.ts"
import { readmeCommands } from "./readme.ts"

const repository = fileURLToPath(new URL("../..", import.meta.url))
const installTimeoutMs = 240_000
const startTimeoutMs = 60_000
/** What `npm start` listens on by default; the commands of the README look there. */
const ports = [8080, 8081, 8082, 1883, 9001, 9090]
/**
 * Lets npm answer how the program of a script ended: bash makes way for the one program that it runs, while Debian's
 * sh stays, and is itself ended by Ctrl-C whatever the program answers.
 */
const npmShell = { npm_config_script_shell: "bash" }

/** A copy of what is committed, as somebody gets it who clones the project. */
async function cleanClone(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "serialcast-clone-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  await run("git", ["clone", "--quiet", "--no-hardlinks", repository, folder])
  return folder
}

/** Runs shell text until its output has a line that matches, then ends it. */
async function runUntil(shell: string, wanted: RegExp): Promise<string> {
  const line = createDeferred<string>()
  await using running = startProgram("bash", ["-c", `exec ${shell}`], (text) => {
    if (wanted.test(text)) line.resolve(text)
  })
  void running.ended.then(({ said }) => line.reject(new Error(`${shell} ended without ${wanted}: ${said}`)))
  const error = () => new Error(`${shell} said nothing like ${wanted}`)
  return await withDeadline(line.promise, { clock: systemClock, timeoutMs: 20_000, error })
}

async function start(folder: string, command: string): Promise<RunningProgram> {
  const up = createDeferred<void>()
  const running = startProgram(
    "bash",
    ["-c", `exec ${command}`],
    (line) => line.includes("Ctrl-C stops it") && up.resolve(),
    { cwd: folder, env: npmShell, ownGroup: true },
  )
  void running.ended.then(({ said }) => up.reject(new Error(`${command} ended: ${said}`)))
  const error = () => new Error(`${command} did not serve within ${startTimeoutMs} ms`)
  await withDeadline(up.promise, { clock: systemClock, timeoutMs: startTimeoutMs, error })
  return running
}

test("on a clean clone the README's command serves page, HTTP and MQTT, and its examples work", async () => {
  for (const port of ports)
    expect(await connects(port), `port ${port} is taken: free it for this test`).toBe(false)
  const folder = await cleanClone()
  const [setUp = ""] = await readmeCommands("Run it, test it")
  const [install = "", command = ""] = (setUp.split("\n")[0] ?? "").split("#")[0]?.trim().split(" && ") ?? []
  expect([install, command]).toEqual(["npm ci", "npm start"])
  await run("bash", ["-c", `cd ${folder} && ${install}`], { timeoutMs: installTimeoutMs })
  await using running = await start(folder, command)
  expect(await (await fetch("http://localhost:8080/")).text()).toContain("<title>Serialcast</title>")

  // For npx, whatever it remembers of an earlier clone in this place.
  await access(join(folder, "cli/dist/main.js"), constants.X_OK)

  const [stream = "", write = "", subscribe = "", publish = ""] = await readmeCommands("Five examples")
  expect(await runUntil(stream, /^data: "temperature:/)).toContain("humidity")
  expect(JSON.parse(await run("bash", ["-c", write]))).toMatchObject({ device: "local/demo-echo", bytes: 5 })
  expect(await runUntil(subscribe, /temperature:/)).toContain("humidity")
  await using echo = await readByCurl("http://localhost:8081/api/v1/devices/local/demo-echo/stream", "none")
  await run("bash", ["-c", publish])
  expect(new TextDecoder().decode(await echo.take(5))).toBe("hello")

  running.interrupt()
  const said = expect.stringMatching(/^Compiling .*\nCompiled in /m)
  expect(await running.ended).toMatchObject({ code: 0, signal: null, said })
  for (const port of ports) await expect(connects(port)).resolves.toBe(false)

  const bundled = () => stat(join(folder, "services/console/page/dist/index.html"))
  const { ctimeMs } = await bundled()
  await using again = await start(folder, command)
  again.interrupt()
  expect(await again.ended).toMatchObject({ code: 0 })
  expect((await bundled()).ctimeMs, "the page is bundled again only when something changed").toBe(ctimeMs)
})

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1" })
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false))
    socket.once("close", () => socket.destroy())
  })
}
