import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { deviceAt } from "@serialcast/serial-agent"
import { countingBytes, createTemporaryFolder } from "@serialcast/testkit"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { spawnCli } from "../testing/spawn-cli.ts"
import { startTestAll, type TestAll } from "../testing/start-test-all.ts"

let all: TestAll

/** Boards keep their files as long as the gateway runs, so each test has its own folder on them. */
beforeAll(async () => {
  all = await startTestAll(
    {},
    { devices: { board: deviceAt("sim:micropython"), echo: deviceAt("sim:echo") } },
  )
})

afterAll(() => all[Symbol.asyncDispose]())

function place(): string {
  const folder = createTemporaryFolder()
  onTestFinished(() => folder[Symbol.dispose]())
  return folder.path
}

/** Runs a command to its end: the exit code, and what it said. */
async function run(args: readonly string[], { cwd = place(), input = "" } = {}) {
  const [command = "", ...rest] = args
  const cli = spawnCli([command, "--broker", all.mqttUrl, ...rest], {}, cwd)
  cli.child.stdin.end(input)
  const code = await cli.exited
  return { code, stdout: cli.stdout.text, stderr: cli.stderr.text }
}

/** Until the board has said this since now. */
async function waitForOutput({ httpUrl }: TestAll, expected: string): Promise<void> {
  const response = await fetch(`${httpUrl}/api/v1/devices/local/board/stream?encoding=hex`)
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  let events = ""
  const said = () =>
    Buffer.from([...events.matchAll(/^data: "?([0-9a-f]+)"?$/gm)].map(([, hex = ""]) => hex).join(""), "hex")
  while (!said().includes(expected)) {
    const { value } = (await reader?.read()) ?? {}
    events += decoder.decode(value, { stream: true })
  }
  await reader?.cancel()
}

/** Until the board's stream has had this mark, in JSON. */
async function waitForMark({ httpUrl }: TestAll, expected: string): Promise<void> {
  const response = await fetch(`${httpUrl}/api/v1/devices/local/board/stream?from=start`)
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  for (let events = ""; !events.includes(expected); ) events += (await reader?.read())?.value ?? ""
  await reader?.cancel()
}

describe("put and get", () => {
  test("a file of any bytes comes back as it went, under a name with spaces, quotes and UTF-8", async () => {
    const [here, there] = [place(), place()]
    const name = `it's "größe" 1.bin`
    const bytes = countingBytes(0, 3_000)
    await writeFile(join(here, name), bytes)
    expect(await run(["put", "board", name], { cwd: here })).toMatchObject({ code: 0 })
    expect(await run(["get", "board", name], { cwd: there })).toMatchObject({ code: 0 })
    expect(new Uint8Array(await readFile(join(there, name)))).toEqual(bytes)
  })

  test("folders go with all that is in them, and patterns are the board's", async () => {
    const [here, there] = [place(), place()]
    await mkdir(join(here, "www/img"), { recursive: true })
    await writeFile(join(here, "www/a.py"), "a = 1\n")
    await writeFile(join(here, "www/b.txt"), "b\n")
    await writeFile(join(here, "www/img/c.py"), "c = 3\n")
    expect(await run(["put", "board", "www"], { cwd: here })).toMatchObject({ code: 2 })
    expect(await run(["put", "board", "-r", "www", "--to", "/site/"], { cwd: here })).toMatchObject({
      code: 0,
    })
    const listed = await run(["ls", "board", "/site/www"])
    expect(listed.stdout).toMatch(/^ +6 +a\.py\n +2 +b\.txt\n +img\/\n$/)
    expect(await run(["get", "board", "/site/www/*.py", "--to", there])).toMatchObject({ code: 0 })
    expect(await readdir(there)).toEqual(["a.py"])
    expect(await run(["get", "board", "-r", "/site/www", "--to", there])).toMatchObject({ code: 0 })
    expect(await readFile(join(there, "www/img/c.py"), "utf8")).toBe("c = 3\n")
    expect(await run(["rm", "board", "-r", "/site"])).toMatchObject({ code: 0 })
    const gone = await run(["ls", "board", "/site"])
    expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining("ENOENT") })
  })

  test("standard input and output are files", async () => {
    expect(await run(["put", "board", "-", "--to", "in.txt"], { input: "hello" })).toMatchObject({ code: 0 })
    expect(await run(["get", "board", "in.txt", "--to", "-"])).toMatchObject({ code: 0, stdout: "hello" })
  })

  test("what is in a folder goes without it, and into a folder that is made", async () => {
    const [here, there] = [place(), place()]
    await mkdir(join(here, "sub"))
    await writeFile(join(here, "sub/a.py"), "a")
    expect(await run(["put", "board", "-r", ".", "--to", "/dots/"], { cwd: here })).toMatchObject({ code: 0 })
    expect(await run(["get", "board", "-r", "/dots/.", "--to", "new/deep"], { cwd: there })).toMatchObject({
      code: 0,
    })
    expect(await readFile(join(there, "new/deep/sub/a.py"), "utf8")).toBe("a")
  })

  test("Ctrl-C leaves the old file on the board, says how far it was, and the next put goes on from there", async () => {
    const here = place()
    const bytes = countingBytes(0, 100_000)
    await run(["put", "board", "-", "--to", "kept.bin"], { input: "old" })
    await writeFile(join(here, "kept.bin"), bytes)
    const cli = spawnCli(["put", "--broker", all.mqttUrl, "board", "kept.bin"], {}, here)
    // A part of it is there.
    await waitForOutput(all, "\u0006".repeat(100))
    cli.child.kill("SIGINT")
    expect(await cli.exited).toBe(1)
    expect(cli.stderr.text).toMatch(
      /0 files were copied; kept\.bin was left as it was, after \d+ of 100000 bytes\./,
    )
    expect(cli.stderr.text).not.toContain("Nothing to do")
    await waitForMark(all, '"purpose":"put kept.bin","reason":"released","outcome":"cancelled"')
    expect(await run(["get", "board", "kept.bin", "--to", "-"])).toMatchObject({ code: 0, stdout: "old" })
    expect((await run(["ls", "board"])).stdout).not.toContain(".part")
    expect((await run(["ls", "board", "--all"])).stdout).toContain(".part")
    const again = await run(["put", "board", "kept.bin"], { cwd: here })
    expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining("of which it had ") })
  })

  test("what a put has left that was killed is removed by its pattern", async () => {
    const here = place()
    await writeFile(join(here, "left.bin"), countingBytes(0, 100_000))
    const cli = spawnCli(["put", "--broker", all.mqttUrl, "board", "left.bin", "--to", "/left/"], {}, here)
    await waitForOutput(all, "\u0006".repeat(100))
    cli.child.kill("SIGKILL")
    await cli.exited
    const listed = await run(["ls", "board", "/left"])
    // Until its lease is over.
    expect(listed).toMatchObject({ code: 0, stdout: "" })
    expect(listed.stderr).toMatch(/holds the device \(put left\.bin\)\. Waiting for it/)
    await waitForMark(all, '"purpose":"put left.bin","reason":"expired"')
    expect(await run(["rm", "board", "/left/.sc-*.part"])).toMatchObject({ code: 0 })
    expect(await run(["ls", "board", "/left", "-a"])).toMatchObject({ code: 0, stdout: "" })
  })

  test("a reader that has enough ends a get, and a path may be longer than what a lease is told of it", async () => {
    const long = `/${"x".repeat(140)}`
    await run(["put", "board", "-", "--to", long], { input: "y".repeat(5_000) })
    expect(await run(["ls", "board", long])).toMatchObject({ code: 0, stderr: "" })
    const cli = spawnCli(["get", "--broker", all.mqttUrl, "board", long, "--to", "-"])
    cli.child.stdout.destroy()
    expect(await cli.exited).toBe(0)
    expect(cli.stderr.text).toBe("")
    await waitForMark(all, `"purpose":"get ${"x".repeat(35)}…","reason":"released","outcome":"cancelled"`)
    expect(await run(["rm", "board", long])).toMatchObject({ code: 0, stderr: "" })
  })

  test("what is not on the board leaves the local file as it was", async () => {
    const here = place()
    await writeFile(join(here, "old.txt"), "old")
    const { code, stderr } = await run(["get", "board", "nothing.py", "--to", "old.txt"], { cwd: here })
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("ENOENT") })
    expect(await readdir(here)).toEqual(["old.txt"])
    expect(await readFile(join(here, "old.txt"), "utf8")).toBe("old")
  })
})

describe("run", () => {
  test("prints what the code prints, and its traceback with exit code 1", async () => {
    const here = place()
    await writeFile(join(here, "job.py"), "print('one')\nprint(6 * 7)\n1 / 0\n")
    const { code, stdout, stderr } = await run(["run", "board", "job.py"], { cwd: here })
    expect(stdout.replaceAll("\r", "")).toBe("one\n42\n")
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/\nZeroDivisionError.*\n$/),
    })
    expect(stderr).not.toContain("\\x0D")
  })

  test("Ctrl-C interrupts it, and the board is free again", async () => {
    const cli = spawnCli(["run", "--broker", all.mqttUrl, "board", "--code", "while True: print('on')"])
    await cli.stdout.find(/on\r?\n/)
    cli.child.kill("SIGINT")
    expect(await cli.exited).not.toBe(0)
    expect(await run(["run", "board", "--code", "print('free')"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^free/),
    })
  })

  test("what is wrong with a file of this machine is said once", async () => {
    const { code, stderr } = await run(["run", "board", "missing.py"])
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^[^\n]*missing\.py cannot be read: ENOENT: no such file or directory\. /,
      ),
    })
  })

  test("no name and no traceback of a board steers the terminal", async () => {
    const code = "import os; os.mkdir('/evil\\x1b[2J'); raise ValueError('\\x1b[2J')"
    const ran = await run(["run", "board", "--code", code])
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining("ValueError: \\x1B[2J") })
    const refused = await run(["get", "board", "/evil*"])
    expect(refused.stderr).toContain("/evil\\x1B[2J is a folder")
  })

  test("code that ends by sys.exit() is done", async () => {
    const code = "import sys; print('bye'); sys.exit()"
    expect(await run(["run", "board", "--code", code])).toMatchObject({ code: 0, stdout: "bye\r\n" })
  })

  test("what runs longer than --timeout is interrupted, and that is said", async () => {
    const late = await run(["run", "board", "--code", "while True: pass", "--timeout", "0.5"])
    expect(late).toMatchObject({ code: 1, stderr: expect.stringContaining("took longer than allowed") })
  })

  test("a device that is no board is told so", async () => {
    const { code, stderr } = await run(["ls", "echo"])
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no MicroPython prompt"),
    })
  })
})

test("who finds the board taken is told by whom, what for, and how to have it; --steal has it", async () => {
  const lease = `${all.httpUrl}/api/v1/devices/local/board/lease`
  const headers = { "content-type": "application/json" }
  await fetch(lease, { method: "POST", headers, body: JSON.stringify({ purpose: "a long job" }) })
  const { code, stderr } = await run(["ls", "board"])
  expect({ code, stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/a long job.* Waiting .*\n.*a long job.* --steal/),
  })
  const waiting = spawnCli(["ls", "--broker", all.mqttUrl, "board"])
  await waiting.stderr.find(/Waiting/)
  waiting.child.kill("SIGINT")
  expect(await waiting.exited).toBe(1)
  expect(waiting.stderr.text).toContain("Interrupted before the board was taken.")
  expect(await run(["ls", "board", "--steal"])).toMatchObject({ code: 0 })
})

test("rm removes nothing when one of its paths is a folder with something in it", async () => {
  await run(["mkdir", "board", "-p", "/full/deep"])
  await run(["put", "board", "-", "--to", "/full/a"], { input: "a" })
  const refused = await run(["rm", "board", "/full/*", "/full"])
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("--recursive") })
  expect((await run(["ls", "board", "/full"])).stdout).toMatch(/a\n +deep\/\n$/)
  expect(await run(["rm", "board", "/full/*"])).toMatchObject({ code: 0 })
})

test("a program that runs is interrupted and that is said; reset starts main.py again", async () => {
  await run(["put", "board", "-", "--to", "main.py"], { input: "import time\nwhile True: time.sleep(0.1)\n" })
  expect(await run(["reset", "board"])).toMatchObject({ code: 0 })
  // The same program is interrupted for it, and started again.
  expect(await run(["reset", "board"])).toMatchObject({ code: 0, stderr: "" })
  const { code, stderr } = await run(["rm", "board", "main.py"])
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("interrupted") })
  expect(await run(["ls", "board"])).toMatchObject({ code: 0, stderr: "" })
})
