import { AppError } from "@serialcast/contract"
import { FakeClock } from "@serialcast/testkit"
import { Registry } from "prom-client"
import { expect, test } from "vitest"
import { createLogger } from "../log/logger.ts"
import { createRefusals } from "./refusals.ts"
import { createRequestGuard } from "./request-guard.ts"

function start() {
  const lines: Record<string, unknown>[] = []
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  }
  const log = createLogger({ name: "test", level: "info", pretty: false, destination })
  const clock = new FakeClock()
  const metrics = new Registry()
  return { lines, clock, metrics, deps: { log, clock, metrics } }
}

test("thirty wrong tokens are a line for each code with their address, and none of the tokens; the next minute has their number", () => {
  const { lines, clock, deps } = start()
  const refusals = createRefusals({ listener: "http", ...deps })
  const guard = createRequestGuard({ token: "a-token-of-some-length", hosts: [], clock, refusals })
  const guess = (token: string) =>
    guard.whyNot({
      method: "GET",
      headers: { host: "localhost", authorization: `Bearer ${token}` },
      socket: { remoteAddress: "10.0.0.1" },
    })
  for (let attempt = 0; attempt < 30; attempt++) guess(`guess-${attempt}`)
  expect(lines).toMatchObject([
    { listener: "http", from: "10.0.0.1", code: "unauthorized", untold: 0 },
    { listener: "http", from: "10.0.0.1", code: "too_many_attempts", untold: 0 },
  ])
  expect(JSON.stringify(lines)).not.toContain("guess-")
  clock.advance(60_000)
  guess("another")
  expect(lines[2]).toMatchObject({ code: "unauthorized", untold: 9 })
})

test("every refusal is counted by listener and code, for all listeners of a process together", async () => {
  const { metrics, deps } = start()
  const error = new AppError("bad_host", "Expected another host.")
  const [http, console] = ["http", "console"].map((listener) => createRefusals({ listener, ...deps }))
  for (let n = 0; n < 3; n++) http?.report("10.0.0.1", error)
  console?.report(undefined, error)
  const { values = [] } = (await metrics.getMetricsAsJSON())[0] ?? {}
  expect(values.map(({ labels, value }) => [labels["listener"], labels["code"], value])).toEqual([
    ["http", "bad_host", 3],
    ["console", "bad_host", 1],
  ])
})
