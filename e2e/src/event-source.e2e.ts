import { createHash } from "node:crypto"
import { symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { createDeferred } from "@serialcast/primitives"
import {
  createFaultProxy,
  createTemporaryFolder,
  eventually,
  freePort,
  openPty,
  seededRandom,
} from "@serialcast/testkit"
import { expect, test } from "vitest"
import { startAllInOne } from "./all-in-one.ts"
import { openBrowser } from "./browser.ts"
import { startProgram } from "./program.ts"

const main = fileURLToPath(new URL("../../cli/dist/main.js", import.meta.url))

const cuts = 200
const bytesBetweenCuts = 4_000

interface Received {
  /** Hex digits, as they came. */
  hex: string
  opens: number
  readonly strange: string[]
}

/** Runs in the browser: keeps what its EventSource gives, and nothing but that. */
function follow(url: string): void {
  const received: Received = { hex: "", opens: 0, strange: [] }
  Object.assign(globalThis, { received })
  const textOf = (event: Event) => String((event as MessageEvent).data)
  const source = new EventSource(url)
  // The browser's own event of that name, and ours, which says where the reading starts.
  source.addEventListener("open", () => received.opens++)
  source.addEventListener("bytes", (event) => (received.hex += textOf(event)))
  source.addEventListener("gap", (event) => received.strange.push(textOf(event)))
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) received.strange.push("gave up")
  })
}

test("an EventSource whose connection is cut 200 times ends with the exact bytes", async () => {
  const random = seededRandom()
  await using all = await startAllInOne((folder) => `devices: { board: { port: ${folder}/board } }`)
  await using browser = await openBrowser()
  await using proxy = await createFaultProxy({
    target: { host: "127.0.0.1", port: Number(new URL(all.httpUrl).port) },
  })
  await using pty = await openPty()
  await symlink(pty.path, join(all.folder, "board"))
  await all.untilOnline("local/board")
  const page = await browser.newPage()
  // Any page of the same origin will do.
  await page.goto(`http://127.0.0.1:${proxy.port}/api/v1/devices`)
  await page.evaluate(follow, "/api/v1/devices/local/board/stream?from=start")
  const received = () => page.evaluate<Received>("received")

  const hash = createHash("sha256")
  let sent = 0
  for (let cut = 0; cut < cuts; cut++) {
    await eventually(() => expect(proxy.connections).toBeGreaterThan(0))
    const bytes = random.bytes(1 + Math.floor(random.next() * bytesBetweenCuts))
    hash.update(bytes)
    sent += bytes.byteLength
    const writing = pty.write(bytes)
    // Before, while or after the bytes go through.
    if (random.next() < 0.5) await writing
    if (random.next() < 0.5) await page.evaluate(() => undefined)
    proxy.cut()
    await writing
  }
  await eventually(async () => expect((await received()).hex).toHaveLength(sent * 2), { timeoutMs: 20_000 })
  const { hex, opens, strange } = await received()
  expect(createHash("sha256").update(hex, "hex").digest("hex"), `seed ${random.seed}`).toBe(
    hash.digest("hex"),
  )
  expect(opens).toBeGreaterThan(cuts / 2)
  expect(strange).toEqual([])
})

test("an EventSource outlives ten restarts of the gateway, by SIGTERM and by kill -9, with the exact bytes", async () => {
  const random = seededRandom()
  using folder = createTemporaryFolder()
  await using pty = await openPty()
  const [httpPort, brokerPort] = [await freePort(), await freePort()]
  const free = "127.0.0.1:0"
  const config = [
    `devices: { board: { port: ${pty.path} } }`,
    "discover: off",
    `broker: { listen: "127.0.0.1:${brokerPort}", websocket: "${free}" }`,
    `http: { listen: "127.0.0.1:${httpPort}" }`,
    `console: { listen: "${free}" }`,
    `resources: { listen: "${free}" }`,
    `admin: { listen: "${free}" }`,
  ]
  await writeFile(join(folder.path, "serialcast.yaml"), config.join("\n"))
  const start = () => {
    const standing = createDeferred<void>()
    const onLine = (line: string) => line.includes("Ctrl-C stops it") && standing.resolve()
    const program = startProgram(process.execPath, [main, "up"], onLine, { cwd: folder.path })
    return { program, standing: standing.promise }
  }
  let gateway = start()
  await using _gateway = { [Symbol.asyncDispose]: () => gateway.program[Symbol.asyncDispose]() }
  await gateway.standing
  await using browser = await openBrowser()
  const page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${httpPort}/api/v1/devices`)
  await page.evaluate(follow, "/api/v1/devices/local/board/stream?from=start")
  const received = () => page.evaluate<Received>("received")

  let sent = ""
  for (let round = 0; round <= 10; round++) {
    const bytes = random.bytes(2_000)
    sent += Buffer.from(bytes).toString("hex").toUpperCase()
    await pty.write(bytes)
    await eventually(async () => expect((await received()).hex).toHaveLength(sent.length))
    if (round % 2 === 0) await gateway.program[Symbol.asyncDispose]()
    else gateway.program.kill()
    await gateway.program.ended
    gateway = start()
    await gateway.standing
  }
  const { hex, opens, strange } = await received()
  expect(hex, `seed ${random.seed}`).toBe(sent)
  expect(opens).toBeGreaterThan(10)
  // Nobody reads the port while the gateway is away, which it says.
  expect(strange.filter((told) => !told.includes('"reason":"unread"'))).toEqual([])
})
