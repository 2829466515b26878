import { rm, symlink } from "node:fs/promises"
import { join } from "node:path"
import { openPty } from "@serialcast/testkit"
import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { startAllInOne } from "./all-in-one.ts"
import { openBrowser } from "./browser.ts"
import { startPathProxy } from "./path-proxy.ts"

/** What the terminal shows, line by line. */
const shown = (page: Page) => page.locator("[data-testid=terminal] .xterm-rows").innerText()

test("in a browser typed text reaches the device, its output shows, and markup in it stays text", async () => {
  await using all = await startAllInOne((folder) => `devices: { board: { port: ${folder}/board } }`)
  await using browser = await openBrowser()
  // The process under test was started before: it must not inherit the device's end of the pseudo-terminal.
  await using pty = await openPty()
  await symlink(pty.path, join(all.folder, "board"))
  const page = await browser.newPage()
  const problems: string[] = []
  page.on("pageerror", ({ message }) => problems.push(message))
  page.on("dialog", (dialog) => {
    problems.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  await page.goto(all.pageUrl)
  await page.locator("[data-testid=device][data-device='local/board']").click()
  await page.locator("[data-testid=connection-status][data-status=open]").waitFor()
  await page.getByTestId("device-status").filter({ hasText: "Online" }).waitFor()

  await page.locator("[data-testid=terminal]").click()
  await page.keyboard.type("led on")
  await page.keyboard.press("Enter")
  expect(await pty.read(7)).toEqual(new TextEncoder().encode("led on\r"))

  const hostile = "<script>document.title='taken'</script><img src=x onerror=alert(1)>"
  await pty.write(new TextEncoder().encode(`ready ${hostile}\r\n`))
  await expect.poll(() => shown(page)).toContain("ready <script>document.title='taken'</script>")
  expect(await page.title()).not.toBe("taken")
  expect(await page.locator("script:not([src])").count()).toBe(0)

  // Questions that a terminal would answer by typing: nobody typed, so nothing may reach the device.
  const before = pty.received
  await pty.write(new TextEncoder().encode("\u001b[c\u001b[6n\u001b]10;?\u0007done\r\n"))
  await expect.poll(() => shown(page)).toContain("done")
  await page.getByTestId("send-input").fill("version")
  await page.getByTestId("send-line-end").selectOption("crlf")
  await page.getByTestId("send-button").click()
  expect(await pty.read(9)).toEqual(new TextEncoder().encode("version\r\n"))
  expect(pty.received).toBe(before + 9)

  await pty.unplug()
  await rm(join(all.folder, "board"))
  await page.getByTestId("device-status").filter({ hasText: "Offline" }).waitFor()
  expect(problems).toEqual([])
})

test("no bytes of a device freeze the page, in a fresh tab neither, and no click, wheel or paste makes them type", async () => {
  await using all = await startAllInOne((folder) => `devices: { board: { port: ${folder}/board } }`)
  await using browser = await openBrowser()
  await using pty = await openPty()
  await symlink(pty.path, join(all.folder, "board"))
  const encode = (text: string) => new TextEncoder().encode(text)
  const finals = Array.from({ length: 0x7f - 0x40 }, (_, n) => String.fromCharCode(0x40 + n))
  const counts = finals.flatMap((final) =>
    ["", " ", "'"].map((middle) => `x\u001b[2147483647${middle}${final}`),
  )

  const page = await browser.newPage()
  await page.goto(`${all.pageUrl}#local/board`)
  await page.getByTestId("device-status").filter({ hasText: "Online" }).waitFor()
  await pty.write(encode(counts.join("")))
  await pty.write(encode("\u001bc\u001b[?1000;1002;1003;1004;1006;2004h\u001b[?1049hreports on\r\n"))
  await expect.poll(() => shown(page)).toContain("reports on")

  const fresh = await browser.newPage()
  await fresh.goto(`${all.pageUrl}#local/board`)
  await expect.poll(() => shown(fresh)).toContain("reports on")
  const terminal = fresh.locator("[data-testid=terminal]")
  await terminal.click()
  await terminal.click({ modifiers: ["Alt"], position: { x: 30, y: 30 } })
  await fresh.mouse.wheel(0, 300)
  await fresh.getByTestId("send-input").focus()
  await terminal.click()
  await fresh.evaluate(`{
    const clipboardData = new DataTransfer()
    clipboardData.setData("text/plain", "pasted")
    document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }))
  }`)
  expect(await pty.read(6)).toEqual(encode("pasted"))
  await fresh.keyboard.type("!")
  expect(await pty.read(1)).toEqual(encode("!"))
  expect(pty.received).toBe(7)
})

test("below a path of a reverse proxy the page, its files and its WebSockets are found", async () => {
  await using all = await startAllInOne(() => "devices: { board: { port: 'sim:echo' } }")
  await using proxy = await startPathProxy(all.pageUrl, "/serial")
  await using browser = await openBrowser()
  const page = await browser.newPage()
  const missing: string[] = []
  page.on("response", (response) => {
    if (response.status() >= 400) missing.push(response.url())
  })
  await page.goto(proxy.url)
  await page.locator("[data-testid=device][data-device='local/board']").click()
  await page.locator("[data-testid=connection-status][data-status=open]").waitFor()
  await page.getByTestId("send-input").fill("below a path")
  await page.getByTestId("send-button").click()
  await expect.poll(() => shown(page)).toContain("below a path")
  expect(missing).toEqual([])
})
