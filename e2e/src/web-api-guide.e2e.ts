import { createHmac } from "node:crypto"
import { readFile, writeFile } from "node:fs/promises"
import { createServer, type IncomingMessage, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { text as textOf } from "node:stream/consumers"
import { pathToFileURL } from "node:url"
import { createDeferred, systemClock, withDeadline } from "@serialcast/primitives"
import { eventually, freePort } from "@serialcast/testkit"
import type { Page } from "playwright-core"
import { expect, onTestFinished, test } from "vitest"
import { type AllInOne, startAllInOne } from "./all-in-one.ts"
import { openBrowser } from "./browser.ts"
import { compileSketch, plugInSketch } from "./plug-in-sketch.ts"
import { run } from "./program.ts"
import { readmeCommands } from "./readme.ts"
import { type Guide, readGuide } from "./tunnels/guide.ts"
import { createWorkplace, type Workplace, type WorkplaceProgram } from "./tunnels/workplace.ts"

const portOfGuide = "8082"
const below = (yaml: string) => yaml.replace(/^resources:.*\n/m, "")
const portOf = (url: string) => new URL(url).port

interface Said {
  readonly said: string
  /** What the page says behind the command that it prints. */
  readonly comment: string
}

/** Runs the lines of a block in one shell, and answers what each of them printed. */
async function runLines(place: Workplace, block: string): Promise<readonly Said[]> {
  const lines = block.split("\n").map((line) => line.split(/ {2,}# /) as [string, string?])
  const output = await place.sh(lines.map(([command]) => `${command}\nprintf '\\036'\n`).join(""))
  const said = output.split("\u001e")
  return lines.map(([, comment = ""], at) => ({ said: said[at] ?? "", comment }))
}

/** Each line of a block prints what the comment behind it says, and nothing where there is none. */
async function expectAsSaid(place: Workplace, block: string): Promise<void> {
  const lines = await runLines(place, block)
  expect(lines.map(({ said }) => said)).toEqual(lines.map(({ comment }) => comment))
}

async function followCurl(guide: Guide, place: Workplace, board: WorkplaceProgram): Promise<void> {
  const values = guide.take("curl", "sh")
  const temp = values.split(/ {2,}#/, 1)[0] ?? ""
  await expect.poll(() => place.sh(temp), { timeout: 30_000 }).toBe('{"c":21.5}')
  await expectAsSaid(place, values)
  const [line, state] = await runLines(place, guide.take("curl", "sh"))
  expect(line?.said).toMatch(/^(?:\{"led":true\}|@res \/temp application\/json \{"c":21\.5\})$/)
  expect(JSON.parse(state?.said ?? "")).toMatchObject({ device: "uno", online: true })
  await expectAsSaid(place, guide.take("curl", "sh"))

  board.stop()
  try {
    const silent: unknown = JSON.parse(await place.sh(values.split("\n").at(-1) ?? ""))
    expect(silent).toMatchObject({ status: 504, code: "device_silent" })
  } finally {
    // What is stopped does not end either.
    board.resume()
  }
}

async function listenAnywhere(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** A page of another origin, and one of a file, get nothing, and change nothing. */
async function expectStrangersRefused(page: Page, place: Workplace, script: string): Promise<void> {
  const elsewhere = createServer((_asked, answer) => answer.setHeader("Content-Type", "text/html").end("<p>"))
  const file = join(place.folder, "elsewhere.html")
  await writeFile(file, "<p>")
  for (const url of [`http://localhost:${await listenAnywhere(elsewhere)}/`, pathToFileURL(file).href]) {
    await page.goto(url)
    await expect(page.evaluate(`(async () => { ${script} })()`)).rejects.toThrow("Failed to fetch")
  }
}

async function followBrowser(guide: Guide, place: Workplace, url: string): Promise<void> {
  const section = "In a browser"
  const led = () => place.sh(`curl ${url}/board/led`)
  await using browser = await openBrowser()
  const page = await browser.newPage()
  const typed = await page.goto(`${url}/devices/local/uno/temp`)
  expect(await typed?.text()).toBe('{"c":21.5}')

  const script = guide.take(section, "js")
  await expectStrangersRefused(page, place, script)
  expect(await led()).toBe('{"led":false}')
  const refused = await place.sh(`curl ${url}/board/led -X PUT -d on -H 'Origin: http://localhost:1'`)
  expect(JSON.parse(refused)).toMatchObject({ status: 403, code: "cross_site" })

  const port = await freePort()
  guide.replace("8000", String(port))
  await writeFile(join(place.folder, "page.html"), guide.take(section, "html"))
  await writeFile(join(place.folder, "serve.mjs"), guide.take(section, "js"))
  await using _server = place.start(`'${process.execPath}' serve.mjs`)
  await eventually(() => page.goto(`http://localhost:${port}/`))
  await page.locator("#temp").filter({ hasText: "21.5" }).waitFor()
  for (const is of ["on", "off"]) {
    await page.locator("#led").click()
    await expect.poll(() => page.title()).toBe(`Board: ${is}`)
    expect(await led()).toBe(`{"led":${is === "on"}}`)
  }
}

async function followOwn(guide: Guide, place: Workplace): Promise<void> {
  const section = "Resources of your own"
  const made: unknown = JSON.parse(await place.sh(guide.take(section, "sh")))
  expect(made).toMatchObject({ uri: "/note", methods: ["GET", "PUT", "POST", "DELETE"] })
  const values = guide.take(section, "sh")
  await expectAsSaid(place, values)
  const put = values.split("\n")[1] ?? ""
  const withoutType = put.replace("-H 'Content-Type: text/plain'", "-o /dev/null -w '%{http_code}'")
  expect(await place.sh(withoutType)).toBe("415")
  expect(await place.sh(guide.take(section, "sh"))).toMatch(/^Location: \/note\/\d{5}\r$/m)
  const listed = await place.sh(guide.take(section, "sh"))
  expect(listed).toMatch(/^\/devices\/local\/uno\/temp +application\/json +10 +GET$/m)
  expect(listed).toMatch(/^\/note +text\/plain +15 /m)
}

interface Hook {
  readonly asked: IncomingMessage
  readonly body: string
}

/** A receiver of events, and the first of them that is of a PUT. */
async function receiveHook(): Promise<{ readonly port: number; readonly put: () => Promise<Hook> }> {
  const put = createDeferred<Hook>()
  const server = createServer((asked, answer) => {
    void textOf(asked).then((body) => {
      answer.writeHead(204).end()
      if ((JSON.parse(body) as { readonly method: string }).method === "PUT") put.resolve({ asked, body })
    }, put.reject)
  })
  return {
    port: await listenAnywhere(server),
    put: () =>
      withDeadline(put.promise, {
        clock: systemClock,
        timeoutMs: 30_000,
        error: () => new Error("No webhook told of a PUT."),
      }),
  }
}

async function followEvents(guide: Guide, place: Workplace, url: string): Promise<void> {
  const value: unknown = JSON.parse(await place.sh(guide.take("Events", "sh")))
  expect(value).toMatchObject({ uri: "/devices/local/uno/temp", ct: "application/json", v: '{"c":21.5}' })
  const listening = place.start(guide.take("Events", "sh"))
  // It does not say when it is subscribed.
  await eventually(async () => {
    await place.sh(`curl ${url}/note -X PUT -H 'Content-Type: text/plain' -d hi`)
    expect(listening.lines).toHaveLength(1)
  })
  expect(JSON.parse(listening.lines[0] ?? "")).toMatchObject({ method: "PUT", body: "hi", status: 204 })
}

async function expectSigned({ asked, body }: Hook, { folder }: AllInOne): Promise<void> {
  expect(asked.url).toBe("/hook")
  expect(JSON.parse(body)).toMatchObject({ uri: "/note", method: "PUT", body: "good morning", status: 204 })
  const secret = (await readFile(join(folder, "hook-secret"), "utf8")).trim()
  const [, seconds, hex] = /^t=(\d+),v1=(\w+)$/.exec(String(asked.headers["serialcast-signature"])) ?? []
  expect(createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex")).toBe(hex)
}

/** A shell whose programs find the gateway's broker. */
async function findBroker(place: Workplace, { mqttUrl }: AllInOne): Promise<Workplace> {
  await place.addProgram(
    "mosquitto_sub",
    `#!/bin/sh\nexec /usr/bin/mosquitto_sub -p ${portOf(mqttUrl)} "$@"\n`,
  )
  return { ...place, sh: (text) => place.sh(`export SERIALCAST_BROKER_URL=${mqttUrl}\n${text}`) }
}

/** What the README shows of it. */
async function expectReadme(place: Workplace, url: string): Promise<void> {
  const [block = ""] = await readmeCommands("A web API for a board")
  await expectAsSaid(place, block.replaceAll(portOfGuide, portOf(url)))
}

/** Of a board that is unplugged, its values stay. */
async function expectGone(place: Workplace, url: string): Promise<void> {
  const get = (path: string) => place.sh(`curl ${url}${path}`)
  await eventually(async () =>
    expect(JSON.parse(await get("/devices/local/uno/state"))).toMatchObject({ online: false }),
  )
  expect(JSON.parse(await get("/board/led"))).toMatchObject({ status: 503, code: "device_offline" })
  expect(await get("/devices/local/uno/temp")).toBe('{"c":21.5}')
}

async function followSecured(guide: Guide, place: Workplace, config: string): Promise<void> {
  const section = "For other machines"
  guide.replace(portOfGuide, "0")
  const [makeFiles, secured] = [guide.take(section, "sh"), below(guide.take(section, "yaml"))]
  const [access = "", ...resources] = secured.split("\n")
  await using all = await startAllInOne(async (folder) => {
    await run("bash", ["-ec", makeFiles], { cwd: folder })
    return [access, config, ...resources].join("\n")
  })
  guide.replace(portOfGuide, portOf(all.resourcesUrl))
  const ask = guide.take(section, "sh")
  const inFolder = { ...place, sh: (text: string) => place.sh(`cd '${all.folder}'\n${text}`) }
  await eventually(() => expectAsSaid(inFolder, ask))
  const withoutToken = ask.replace(/-H "[^"]*"/, "")
  expect(JSON.parse(await inFolder.sh(withoutToken))).toMatchObject({ status: 401, code: "unauthorized" })
}

test("the guide's sketch is a web API: for curl, browsers, MQTT and webhooks, and with TLS and a token", async () => {
  const guide = await readGuide("web-api-for-a-board.md")
  const workplace = await createWorkplace()
  const sketch = await compileSketch(workplace, guide.take("The sketch", "cpp"))
  const port = join(workplace.folder, "uno")
  guide.replace("/dev/ttyACM0", port)
  const config = guide.take("The configuration", "yaml")
  {
    await using board = await plugInSketch(workplace, sketch, port)
    const hook = await receiveHook()
    guide.replace("9000", String(hook.port))
    const makeSecret = guide.take("A webhook", "sh")
    const webhooks = below(guide.take("A webhook", "yaml"))
    await using all = await startAllInOne(async (folder) => {
      await run("bash", ["-ec", makeSecret], { cwd: folder })
      return `${config}\n${webhooks}\n  listen: "127.0.0.1:0"`
    })
    await all.untilOnline("local/uno")
    const { resourcesUrl: url } = all
    guide.replace(portOfGuide, portOf(url))
    const place = await findBroker(workplace, all)

    await followCurl(guide, place, board)
    await followBrowser(guide, place, url)
    await followOwn(guide, place)
    await expectSigned(await hook.put(), all)
    await followEvents(guide, place, url)
    await expectReadme(place, url)
    await board[Symbol.asyncDispose]()
    await expectGone(place, url)
  }
  await using _again = await plugInSketch(workplace, sketch, port)
  await followSecured(guide, workplace, config)
  guide.checkAllTaken()
})
