import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { freePort } from "@serialcast/testkit"
import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { startAllInOne } from "./all-in-one.ts"
import { type OpenBrowser, openBrowser } from "./browser.ts"

test("in a browser the page of a board logs in, types, shows text as text, and says why a file cannot be had", async () => {
  const port = await freePort()
  const board = `{ listen: "127.0.0.1:${port}", device: local/echo, password: { text: "a long secret" } }`
  await using all = await startAllInOne(() => `devices: { echo: { port: "sim:echo" } }\nwebrepl: [${board}]`)
  await all.untilOnline("local/echo")
  await using browser = await openBrowser()
  const page = await browser.newPage()
  const problems: string[] = []
  page.on("pageerror", ({ message }) => problems.push(message))
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text())
  })
  await page.goto(`http://127.0.0.1:${port}/`)
  const address = page.getByTestId("address")
  expect(await address.inputValue()).toBe(`ws://127.0.0.1:${port}/`)
  await expect.poll(() => page.title()).toBe("local/echo – WebREPL")
  expect(await page.getByTestId("board-name").innerText()).toBe("local/echo")
  await address.fill("ws://10.0.0.7:8266/")
  expect(await page.title()).toBe("10.0.0.7:8266 – WebREPL")
  await address.fill(`ws://localhost:${port}/`)
  expect(await page.title()).toBe(`localhost:${port} – WebREPL`)
  await address.fill(`ws://127.0.0.1:${port}/`)
  // The last line is no more cut than the others.
  const bottomOf = async (selector: string) => {
    const { y, height } = (await page.locator(selector).boundingBox()) ?? { y: 0, height: Number.NaN }
    return y + height
  }
  const end = await bottomOf("#terminal")
  await expect.poll(() => bottomOf("#terminal .xterm-screen")).toBeLessThanOrEqual(end)

  await page.getByTestId("password").fill("wrong")
  await page.getByTestId("connect-button").click()
  await page.getByTestId("status").filter({ hasText: "Disconnected" }).waitFor()
  const shown = () => page.locator("[data-testid=terminal] .xterm-rows").innerText()
  await expect.poll(shown).toContain("Access denied")

  await page.getByTestId("password").fill("a long secret")
  await page.getByTestId("connect-button").click()
  await page.getByTestId("status").filter({ hasText: "Connected" }).waitFor()
  await page.locator("[data-testid=terminal]").click()
  const hostile = "<script>document.title='taken'</script>"
  await page.keyboard.type(hostile)
  // The board says what it hears.
  await expect.poll(shown).toContain(`>>> ${hostile}`)
  expect(await page.title()).not.toBe("taken")

  await writeFile(join(all.folder, "main.py"), "print(1)\n")
  await page.getByTestId("by-name").getByText("By name").click()
  await page.getByTestId("put-file").setInputFiles(join(all.folder, "main.py"))
  expect(await page.getByTestId("put-name").inputValue()).toBe("main.py")
  await page.getByTestId("put-button").click()
  await page.getByTestId("file-status").filter({ hasText: "The file did not arrive whole" }).waitFor()
  await expect.poll(shown).toContain("put main.py failed")
  expect(problems).toEqual([])
})

test("in a browser a file goes to a board with genuine MicroPython and back, and its program runs", async () => {
  const port = await freePort()
  const board = `{ listen: "127.0.0.1:${port}", device: local/chip, password: { text: "a long secret" } }`
  await using all = await startAllInOne(
    () => `devices: { chip: { port: "sim:micropython" } }\nwebrepl: [${board}]`,
  )
  await all.untilOnline("local/chip")
  await using browser = await openBrowser()
  const page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${port}/`)
  await page.getByTestId("password").fill("a long secret")
  await page.getByTestId("connect-button").click()
  await page.getByTestId("status").filter({ hasText: "Connected" }).waitFor()

  await page.getByTestId("by-name").getByText("By name").click()
  const source = `# ${"é".repeat(2_000)}\nanswer = 6 * 7\n`
  await writeFile(join(all.folder, "mine.py"), source)
  await page.getByTestId("put-file").setInputFiles(join(all.folder, "mine.py"))
  await page.getByTestId("put-button").click()
  await page.getByTestId("file-status").filter({ hasText: "Sent mine.py" }).waitFor()

  await page.locator("[data-testid=terminal]").click()
  await page.keyboard.type("from mine import answer; print('it is', answer)")
  await page.keyboard.press("Enter")
  const shown = () => page.locator("[data-testid=terminal] .xterm-rows").innerText()
  await expect.poll(shown).toContain("it is 42")

  const downloading = page.waitForEvent("download")
  await page.getByTestId("get-name").fill("mine.py")
  await page.getByTestId("get-button").click()
  const download = await downloading
  expect(download.suggestedFilename()).toBe("mine.py")
  expect(await readFile(await download.path(), "utf8")).toBe(source)
})

const hostile = "<img src=x onerror=alert(1)> .py"

/** A page that is logged in to a board with genuine MicroPython. */
async function openBoard(browser: OpenBrowser, port: number): Promise<Page> {
  const page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${port}/`)
  await page.getByTestId("password").fill("a long secret")
  await page.getByTestId("connect-button").click()
  await page.getByTestId("status").filter({ hasText: "Connected" }).waitFor()
  return page
}

test("in a browser the folders of a board are gone through, and files got from the list, put into it, and removed", async () => {
  const port = await freePort()
  const board = `{ listen: "127.0.0.1:${port}", device: local/chip, password: { text: "a long secret" } }`
  await using all = await startAllInOne(
    () => `devices: { chip: { port: "sim:micropython" } }\nwebrepl: [${board}]`,
  )
  await all.untilOnline("local/chip")
  await using browser = await openBrowser()
  const page = await openBoard(browser, port)
  const entries = page.getByTestId("entries")
  const row = (name: string) => entries.locator("li").filter({ has: page.getByText(name, { exact: true }) })
  const status = page.getByTestId("file-status")
  // Until somebody asks for it, nothing interrupts the program.
  expect(await entries.locator("li").count()).toBe(0)

  await page.locator("[data-testid=terminal]").click()
  const python = `import os; os.mkdir('/shelf'); os.mkdir('/shelf/deep'); os.chdir('/shelf'); open(${JSON.stringify(hostile)}, 'w').close(); print('made', 1)`
  await page.keyboard.type(`${python}\r`)
  const shown = () => page.locator("[data-testid=terminal] .xterm-rows").innerText()
  await expect.poll(shown).toContain("made 1")

  await page.getByTestId("list-button").click()
  await row("deep").waitFor()
  expect(await page.getByTestId("crumbs").locator("button").allInnerTexts()).toEqual(["/", "shelf"])
  expect(await entries.locator(".name").allInnerTexts()).toEqual(["deep", hostile])
  await row("deep").getByRole("button").first().click()
  await page.getByText("The folder is empty.").waitFor()

  const bytes = Uint8Array.from({ length: 3_001 }, (_, index) => (index * 7) & 0xff)
  await writeFile(join(all.folder, "data.bin"), bytes)
  await writeFile(join(all.folder, "note.txt"), "hello")
  await page
    .getByTestId("send-files")
    .setInputFiles(["data.bin", "note.txt"].map((name) => join(all.folder, name)))
  await row("note.txt").waitFor()
  await status.filter({ hasText: "Sent 2 files, 2.9 KiB." }).waitFor()
  expect(await entries.locator("li").allInnerTexts()).toEqual([
    expect.stringMatching(/^data\.bin\s+2\.9 KiB/),
    expect.stringMatching(/^note\.txt\s+5 B/),
  ])

  const downloading = page.waitForEvent("download")
  await row("data.bin").getByRole("button").first().press("Enter")
  const download = await downloading
  expect(download.suggestedFilename()).toBe("data.bin")
  expect(new Uint8Array(await readFile(await download.path()))).toEqual(bytes)
  await status.filter({ hasText: "Got data.bin" }).waitFor()

  await dropFile(page, "dropped.py", "print(1)\n")
  await row("dropped.py").waitFor()

  await page.keyboard.press("ArrowUp")
  await page.keyboard.press("Delete")
  await page.getByTestId("remove-dialog").getByText("Remove the file data.bin").waitFor()
  await page.keyboard.press("Escape")
  expect(await row("data.bin").count()).toBe(1)
  await row("data.bin").getByRole("button", { name: "Remove data.bin" }).click()
  await page.getByTestId("remove-yes").click()
  await status.filter({ hasText: "Removed data.bin." }).waitFor()
  expect(await entries.locator(".name").allInnerTexts()).toEqual(["dropped.py", "note.txt"])

  await page.getByTestId("crumbs").getByRole("button", { name: "Root folder" }).click()
  await row("shelf").waitFor()
  await row("shelf").getByRole("button", { name: "Remove shelf" }).click()
  await page.getByTestId("remove-yes").click()
  await status.filter({ hasText: "The board does not remove /shelf (code 39)" }).waitFor()
  await expect.poll(shown).toContain("remove /shelf failed")
})

/** As from a folder of the desktop onto the terminal. */
async function dropFile(page: Page, name: string, text: string): Promise<void> {
  const file = `new File([${JSON.stringify(text)}], ${JSON.stringify(name)})`
  const dataTransfer = await page.evaluateHandle(
    `(() => { const data = new DataTransfer(); data.items.add(${file}); return data })()`,
  )
  await page.dispatchEvent("[data-testid=terminal]", "drop", { dataTransfer })
}
