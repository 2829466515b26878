import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { freePort } from "@serialcast/testkit"
import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { type AllInOne, startAllInOne } from "./all-in-one.ts"
import { openBrowser } from "./browser.ts"
import { run } from "./program.ts"
import { type Guide, readGuide } from "./tunnels/guide.ts"
import { createWorkplace, type Workplace } from "./tunnels/workplace.ts"

const webSection = "In the browser, and with WebREPL's tools"
const password = "a long secret"
const main = "print('main ran')\n"

/** The gateway of the guide's own configuration: the demo of `npm start`, and the board's WebREPL beside it. */
async function startGateway(guide: Guide): Promise<AllInOne> {
  const makePassword = guide.take(webSection, "sh")
  const webrepl = guide.take(webSection, "yaml")
  return await startAllInOne(async (folder) => {
    await run("bash", ["-ec", makePassword], { cwd: folder })
    return `devices: { demo-micropython: { port: "sim:micropython" } }\n${webrepl}`
  })
}

/** A shell that finds the gateway, and the client that stands for the official one. */
async function createPlace(all: AllInOne): Promise<Workplace> {
  const place = await createWorkplace()
  const client = fileURLToPath(new URL("webrepl-client.py", import.meta.url))
  await place.addProgram("webrepl_cli.py", `#!/bin/sh\nexec python3 '${client}' "$@"\n`)
  await writeFile(join(place.folder, "main.py"), main)
  return { ...place, sh: (text) => place.sh(`export SERIALCAST_BROKER_URL=${all.mqttUrl}\n${text}`) }
}

async function followCommandLine(guide: Guide, place: Workplace): Promise<void> {
  const section = "The command line"
  expect(await place.sh(guide.take(section, "sh"))).toMatch(/^ +18 +main\.py\n$/)
  await expect.poll(() => place.sh("serialcast history demo-micropython")).toMatch(/^main ran\r$/m)
  await place.sh(guide.take(section, "sh"))
  expect(await readFile(join(place.folder, "copy/main.py"), "utf8")).toBe(main)
  expect((await place.sh(guide.take(section, "sh"))).trim()).toBe("micropython")
}

async function followHttp(guide: Guide, place: Workplace): Promise<void> {
  const section = "Over HTTP"
  const files = guide.take(section, "sh")
  const said = await place.sh(files)
  expect(said).toContain('"path":"lib.py"')
  expect(said).toContain(main)
  expect(said).toContain('{"name":"lib.py","kind":"file","size":18}')
  const [api = ""] = files.split("\n", 1)
  expect(JSON.parse(await place.sh(`${api}\n${guide.take(section, "sh")}`))).toEqual({
    stdout: "42\r\n",
    stderr: "",
  })
  const refused: unknown = JSON.parse(await place.sh(`${api}\n${guide.take(section, "sh")}`))
  expect(refused).toMatchObject({ status: 412, code: "precondition_failed" })
}

/** What the terminal shows, as lines. */
const shown = (page: Page) => page.locator("[data-testid=terminal] .xterm-rows").innerText()

async function followPage(page: Page, url: string, place: Workplace): Promise<void> {
  await page.goto(url)
  await page.getByTestId("password").fill(password)
  await page.getByTestId("connect-button").click()
  await page.getByTestId("status").filter({ hasText: "Connected" }).waitFor()
  await page.locator("[data-testid=terminal]").click()
  await page.keyboard.type("1+1\r")
  await expect.poll(() => shown(page)).toMatch(/>>> 1\+1\s*\n2\s*\n/)

  await writeFile(join(place.folder, "page.py"), "print('of the page')\n")
  await page.getByTestId("by-name").getByText("By name").click()
  await page.getByTestId("put-file").setInputFiles(join(place.folder, "page.py"))
  await page.getByTestId("put-button").click()
  await page.getByTestId("file-status").filter({ hasText: "Sent page.py, 21 bytes." }).waitFor()
  await page.locator("[data-testid=terminal]").click()
  await page.keyboard.type("import os; os.listdir()\r")
  await expect.poll(() => shown(page)).toContain("'page.py'")

  const download = page.waitForEvent("download")
  await page.getByTestId("get-name").fill("page.py")
  await page.getByTestId("get-button").click()
  await (await download).saveAs(join(place.folder, "page-copy.py"))
  expect(await readFile(join(place.folder, "page-copy.py"), "utf8")).toBe("print('of the page')\n")
  await page.getByTestId("file-status").filter({ hasText: "Got page.py, 21 bytes." }).waitFor()
}

test("the guide's examples work on the simulated board: by command line, over HTTP, in the browser, by WebREPL's client", async () => {
  const guide = await readGuide("micropython.md")
  const port = await freePort()
  guide.replace("8266", String(port))
  await using all = await startGateway(guide)
  await all.untilOnline("local/demo-micropython")
  guide.replace("localhost:8081", new URL(all.httpUrl).host)
  const place = await createPlace(all)

  await followCommandLine(guide, place)
  await followHttp(guide, place)
  await using browser = await openBrowser()
  const page = await browser.newPage()
  const problems: string[] = []
  page.on("pageerror", ({ message }) => problems.push(message))
  await followPage(page, `http://localhost:${port}/`, place)
  // A place is free again as soon as its client has gone.
  await page.close()
  expect(await place.sh(guide.take(webSection, "sh"))).toMatch(/^version \d+\.\d+\.\d+\n/)
  expect(await readFile(join(place.folder, "hello-copy.py"), "utf8")).toBe(main)
  expect(problems).toEqual([])
  guide.checkAllTaken()
})
