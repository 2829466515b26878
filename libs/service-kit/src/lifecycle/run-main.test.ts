import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:net"
import { fileURLToPath } from "node:url"
import { describe, expect, onTestFinished, test } from "vitest"
import { closeServer } from "../listen/close-server.ts"
import { listen } from "../listen/listen.ts"

const packageFolder = fileURLToPath(new URL("../..", import.meta.url))

/** Runs `start` as the service of a process of its own. */
function spawnMain(start: string, env: Record<string, string> = {}, args: readonly string[] = []) {
  const script = `import { runMain } from "@serialcast/service-kit"; await runMain({ name: "test", start: ${start} })`
  const child = spawn(
    process.execPath,
    [
      "--conditions=@serialcast/source",
      "--import",
      "tsx",
      "--input-type=module",
      "--eval",
      script,
      "main.js",
      ...args,
    ],
    {
      cwd: packageFolder,
      env: { PATH: process.env["PATH"], SERIALCAST_ADMIN_LISTEN: "127.0.0.1:0", ...env },
      stdio: ["ignore", "ignore", "pipe"],
    },
  )
  onTestFinished(() => void child.kill("SIGKILL"))
  return { child, output: collect(child), exited: once(child, "exit") }
}

/** Standard error so far, and a wait for a text in it. */
function collect(child: ChildProcess) {
  const output = { text: "", waitFor }
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output.text += text
  })
  async function waitFor(wanted: string) {
    while (!output.text.includes(wanted)) await once(child.stderr!, "data")
  }
  return output
}

const service = (stop: string) => `async () => ({ name: "test", isReady: () => true, stop: ${stop} })`

describe("a process", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "%s stops the service, and the process ends with 0",
    async (signal) => {
      const { child, output, exited } = spawnMain(service(`async () => { console.error("stop called") }`))
      await output.waitFor('"msg":"started"')
      child.kill(signal)
      expect(await exited).toEqual([0, null])
      expect(output.text).toContain("stop called")
      expect(output.text).toContain(`"signal":"${signal}","msg":"stopping"`)
    },
  )

  test("SIGHUP ends nothing, and is logged", async () => {
    const { child, output, exited } = spawnMain(service("async () => {}"))
    await output.waitFor('"msg":"started"')
    for (let n = 1; n <= 2; n++) {
      child.kill("SIGHUP")
      await output.waitFor("SIGHUP changes nothing")
    }
    child.kill("SIGTERM")
    expect(await exited).toEqual([0, null])
  })

  test("a process ends although something in it would go on", async () => {
    const { child, output, exited } = spawnMain(service("async () => { setInterval(() => {}, 1000) }"))
    await output.waitFor('"msg":"started"')
    child.kill("SIGTERM")
    expect(await exited).toEqual([0, null])
  })

  test("a service that cannot stop makes the exit code 1", async () => {
    const { child, output, exited } = spawnMain(service(`async () => { throw new Error("stuck") }`))
    await output.waitFor('"msg":"started"')
    child.kill("SIGTERM")
    expect(await exited).toEqual([1, null])
    expect(output.text).toContain("serialcast test: test: stuck")
  })

  test("a port in use is one clear line and no stack", async () => {
    const blocker = createServer()
    const { port } = await listen(blocker, { host: "127.0.0.1", port: 0 }, "test")
    const { output, exited } = spawnMain(service("async () => {}"), {
      SERIALCAST_ADMIN_LISTEN: `127.0.0.1:${port}`,
    })
    expect(await exited).toEqual([1, null])
    expect(output.text).toBe(
      `serialcast test: Port ${port} (admin) is in use by another program. ` +
        "Stop the other program or choose another address for the listener.\n",
    )
    await closeServer(blocker)
  })

  test("a wrong configuration is told before anything starts", async () => {
    const { output, exited } = spawnMain(service("async () => {}"), { SERIALCAST_LOG_LEVEL: "loud" })
    expect(await exited).toEqual([1, null])
    expect(output.text).toBe(
      'serialcast test: SERIALCAST_LOG_LEVEL: expected error, warn, info or debug, found "loud". ' +
        "Correct the listed configuration keys and start again.\n",
    )
  })

  test("arguments are refused, and where the settings are is told", async () => {
    const { output, exited } = spawnMain(service("async () => {}"), {}, ["--help"])
    expect(await exited).toEqual([1, null])
    expect(output.text).toMatch(
      /^serialcast test: Expected no arguments, found "--help": settings are in serialcast.yaml/,
    )
  })

  test("a signal during the start is obeyed once the start is over", async () => {
    const start = `async () => {
      const released = new Promise((resolve) => process.once("SIGTERM", resolve))
      console.error("starting")
      await released
      return { name: "test", isReady: () => true, stop: async () => console.error("stop called") }
    }`
    const { child, output, exited } = spawnMain(start)
    await output.waitFor("starting")
    child.kill("SIGTERM")
    expect(await exited).toEqual([0, null])
    expect(output.text).toContain("stop called")
  })
})
