import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { freePort } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { startAllInOne } from "./all-in-one.ts"
import { openBrowser } from "./browser.ts"

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
  expect(await page.getByTestId("address").inputValue()).toBe(`ws://127.0.0.1:${port}/`)

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
