import { AppError } from "@serialcast/contract"
import { eventually } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { startTestGateway } from "../testing/test-gateway.ts"

/** What a write answers that comes to `error`, and what is logged of it. */
async function writeWith(error: Error) {
  const logged: string[] = []
  const device = { write: () => Promise.reject(error) }
  await using gateway = await startTestGateway(device, { onLog: (line) => logged.push(line) })
  const response = await fetch(`http://127.0.0.1:${gateway.port}/devices/local/uno/writebytes/41`)
  return { status: response.status, page: await response.text(), logged }
}

test("what nobody foresaw is told to the log, and not to the client", async () => {
  const { status, page, logged } = await writeWith(new Error("ENOENT /root/secret"))
  expect(status).toBe(500)
  expect(page).toMatch(/^<!DOCTYPE html>[^]*unforeseen/)
  expect(page).not.toContain("secret")
  await eventually(() => expect(logged.join()).toContain("ENOENT /root/secret"))
})

test("what a client can do something about is told to it, and not to the log", async () => {
  const { status, page, logged } = await writeWith(new AppError("device_offline", "The device is <away>."))
  expect([status, logged]).toEqual([500, []])
  expect(page).toContain("The device is &#60;away&#62;.")
})
