import { symlink } from "node:fs/promises"
import { createServer } from "node:http"
import { join } from "node:path"
import { closeServer, listen } from "@serialcast/service-kit"
import { eventually, openPty } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { startAllInOne } from "../all-in-one.ts"
import { openBrowser } from "../browser.ts"

const listener = '{ listen: "127.0.0.1:0", device: local/board'
const config = (folder: string) => `
devices: { board: { port: ${folder}/board } }
tunnels:
  - ${listener}, type: raw }
  - ${listener}, type: rfc2217, control: shared }`

/** As much of the browser's as the attack needs. */
declare const RTCPeerConnection: new (
  config: object,
) => {
  createDataChannel(label: string): unknown
  createOffer(): Promise<unknown>
  setLocalDescription(description: unknown): Promise<void>
  close(): void
}

/** Runs in the browser, in a page of another site: all that it can to write to a port of this machine. */
async function attack(port: number): Promise<void> {
  const words = "\r\nreboot\r\n"
  const soon = () => ({ mode: "no-cors", signal: AbortSignal.timeout(2_000) }) as const
  const here = `127.0.0.1:${port}`
  const socket = (url: string) =>
    new Promise((resolve) => Object.assign(new WebSocket(url), { onerror: resolve, onopen: resolve }))
  const peer = new RTCPeerConnection({
    iceServers: [{ urls: `turn:${here}?transport=tcp`, username: words, credential: words }],
  })
  peer.createDataChannel(words)
  await peer.setLocalDescription(await peer.createOffer())
  await Promise.allSettled([
    fetch(`http://${here}/`, { ...soon(), method: "POST", body: words }),
    fetch(`http://${here}/${"x".repeat(100_000)}`, soon()),
    fetch(`http://${here}/`, { ...soon(), mode: "cors", method: "REBOOT", headers: { "x-reboot": "now" } }),
    fetch(`https://${here}/`, soon()),
    socket(`ws://${here}/reboot`),
    socket(`wss://${here}/reboot`),
    new Promise((resolve) => setTimeout(resolve, 2_000)),
  ])
  peer.close()
}

test("no page of any site writes a byte to a device through its raw and RFC 2217 ports", async () => {
  await using all = await startAllInOne(config)
  await using pty = await openPty()
  await symlink(pty.path, join(all.folder, "board"))
  await all.untilOnline("local/board")
  const site = createServer((_, response) =>
    response.setHeader("content-type", "text/html").end("<h1>A site</h1>"),
  )
  const { port: sitePort } = await listen(site, { host: "127.0.0.1", port: 0 }, "a site")
  onTestFinished(() => closeServer(site))
  const tunnels = async () => {
    const response = await fetch(`${all.httpUrl}/api/v1/tunnels`)
    // As the reference of the API has it.
    const { tunnels } = (await response.json()) as { tunnels: { endpoint: string; totals: Totals }[] }
    return tunnels
  }
  await using browser = await openBrowser()
  const page = await browser.newPage()
  await page.goto(`http://localhost:${sitePort}/`)
  for (const { endpoint } of await tunnels())
    await page.evaluate(attack, Number(endpoint.replace(/^.*:/, "")))
  await eventually(async () => {
    for (const { totals } of await tunnels()) expect(totals.refusedClients).toBeGreaterThanOrEqual(6)
  })
  for (const { totals } of await tunnels()) expect(totals.fromClients).toBe(0)
  expect(pty.received).toBe(0)
})

interface Totals {
  readonly refusedClients: number
  readonly fromClients: number
}
