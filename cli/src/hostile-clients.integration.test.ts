import { connect } from "node:net"
import { expect, onTestFinished, test } from "vitest"
import { spawnCli } from "./testing/spawn-cli.ts"

test("a million chunks of one byte end no process with a small heap, and keep nobody from writing", async () => {
  const cli = spawnCli(["up"], { NODE_OPTIONS: "--max-old-space-size=96" })
  const [, http = ""] = await cli.stdout.find(/HTTP +(http:\S+)\/api/)
  await cli.stdout.find(/Ctrl-C stops it/)
  const device = "/api/v1/devices/local/demo-sensor/write"
  const socket = connect(Number(new URL(http).port), "127.0.0.1")
  onTestFinished(() => void socket.destroy())
  socket.write(`POST ${device} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`)
  const ended = new Promise<string>((resolve) => socket.once("error", () => resolve("cut off")))
  const taken = new Promise<string>((resolve) =>
    socket.write("1\r\nx\r\n".repeat(1_000_000), () => resolve("taken")),
  )
  expect(await Promise.race([taken, ended])).toBe("taken")
  const response = await fetch(new URL(device, http), { method: "POST", body: "x" })
  expect(response.status).toBe(200)
  expect(cli.child.exitCode).toBeNull()
})
