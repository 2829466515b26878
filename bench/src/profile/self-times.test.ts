import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { pathToFileURL } from "node:url"
import { expect, onTestFinished, test } from "vitest"
import { formatProfile } from "./format-profile.ts"
import { type CpuProfile, selfTimes } from "./self-times.ts"

const frame = (functionName: string, url = "", lineNumber = -1) => ({
  functionName,
  url,
  lineNumber,
  columnNumber: 0,
})

function profileOf(frames: readonly ReturnType<typeof frame>[], samples: readonly number[]): CpuProfile {
  return {
    startTime: 1_000,
    nodes: frames.map((callFrame, id) => ({ id, callFrame })),
    samples,
    timeDeltas: samples.map(() => 500),
  }
}

test("time is summed by function, and what was before the start point is left out", async () => {
  const profile = profileOf([frame("load", "node:net", 6), frame("run", "node:net", 9)], [0, 0, 1, 0, 1, 1])
  expect(await selfTimes(profile, 2_100)).toEqual([
    { name: "run", file: "node:net", line: 10, ms: 1.5 },
    { name: "load", file: "node:net", line: 7, ms: 0.5 },
  ])
})

test("what was built is told by its source, and what has no map by its file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "profile-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  // Line 1 of the built file is line 3 of the source.
  const map = { version: 3, sources: ["../src/a.ts"], names: [], mappings: "AAEA" }
  await writeFile(join(folder, "a.js.map"), JSON.stringify(map))
  const url = (name: string) => pathToFileURL(join(folder, name)).href
  const [a, b] = await selfTimes(
    profileOf([frame("a", url("a.js"), 0), frame("b", url("b.js"), 4)], [0, 0, 1]),
    0,
  )
  expect(a).toMatchObject({ file: relative(process.cwd(), join(folder, "../src/a.ts")), line: 3 })
  expect(b).toMatchObject({ file: relative(process.cwd(), join(folder, "b.js")), line: 5 })
})

test("shares are of the time that was not idle, by part and by function", () => {
  const text = formatProfile([
    { name: "(idle)", file: "", line: 0, ms: 60 },
    { name: "send", file: "node_modules/ws/lib/sender.js", line: 7, ms: 20 },
    { name: "read", file: "services/agent/src/port/tty.ts", line: 3, ms: 15 },
    { name: "poll", file: "services/agent/src/port/tty.ts", line: 9, ms: 5 },
  ])
  expect(text).toContain("Busy 40 of 100 ms.")
  expect(text).toContain("| 50.0 % | 20 | node_modules/ws |")
  expect(text).toContain("| 50.0 % | 20 | services/agent/port |")
  expect(text).toContain("| 37.5 % | 15 | `read` | services/agent/src/port/tty.ts:3 |")
})
