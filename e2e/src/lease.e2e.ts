import { symlink } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { createWakeup } from "@serialcast/primitives"
import { eventually, openPty } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { startAllInOne } from "./all-in-one.ts"
import { startProgram } from "./program.ts"

const holderProgram = fileURLToPath(new URL("../dist/lease-holder.js", import.meta.url))
const ttlMs = 1_000

test("of a lease holder that was stopped past its time, no late byte reaches the device", async () => {
  await using all = await startAllInOne((folder) => `devices: { board: { port: ${folder}/board } }`)
  const said: string[] = []
  const news = createWakeup()
  const until = async (line: string) => {
    while (!said.includes(line)) await news.wait()
  }
  // Started before the terminal is opened, so that it does not inherit the device's end.
  const device = "local/board"
  await using holder = startProgram(
    process.execPath,
    [holderProgram, all.mqttUrl, device, `${ttlMs}`],
    (line) => {
      said.push(line)
      news.wake()
    },
  )
  await using pty = await openPty()
  await symlink(pty.path, join(all.folder, "board"))
  await all.untilOnline(device)
  await until("written")

  holder.stop()
  const url = `${all.httpUrl}/api/v1/devices/${device}`
  const lease = await eventually(
    async () => {
      const response = await fetch(`${url}/lease`, { method: "POST", body: "{}" })
      expect(response.status).toBe(200)
      return (await response.json()) as { token: string }
    },
    { timeoutMs: 10 * ttlMs },
  )
  await pty.read(pty.received)
  const before = pty.received
  said.length = 0
  holder.resume()
  await until("lease_lost")
  const texts = ["B1", "B2", "B3"]
  for (const text of texts) {
    const written = await fetch(`${url}/write`, {
      method: "POST",
      headers: { Lease: lease.token },
      body: text,
    })
    expect(written.status).toBe(200)
  }
  expect(new TextDecoder().decode(await pty.read(6))).toBe(texts.join(""))

  // Though nobody holds a lease now: what the holder knows of the device is as old as its own.
  const released = await fetch(`${url}/lease`, { method: "DELETE", headers: { Lease: lease.token } })
  expect(released.ok).toBe(true)
  for (let refusals = 0; refusals < 10; refusals++) {
    said.length = 0
    await until("lease_lost")
  }
  expect(pty.received).toBe(before + 6)
})
