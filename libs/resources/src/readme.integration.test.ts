import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { expect, onTestFinished, test } from "vitest"

const folder = fileURLToPath(new URL("..", import.meta.url))

test("the program of the README serves its resource, and prints what came", async () => {
  const readme = readFileSync(`${folder}/README.md`, "utf8")
  const program = /```js\n([^]*?)```/.exec(readme)?.[1] ?? ""
  expect(program).toContain("port: 8090")
  const source = program.replace("port: 8090", "port: 0")
  const flags = [
    "--conditions=@serialcast/source",
    "--import",
    "tsx",
    "--input-type=module",
    "--eval",
    source,
  ]
  const child = spawn(process.execPath, flags, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] })
  onTestFinished(() => void child.kill())
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async () => String((await lines.next()).value)

  const url = (await line()).replace("Listening at ", "")
  const got = await fetch(`${url}/measurements`)
  expect([got.status, got.headers.get("content-type"), await got.json()]).toEqual([
    200,
    "application/json",
    { temperature: 21.5 },
  ])
  expect(await line()).toBe("200 GET /measurements")

  const headers = { "Content-Type": "application/json" }
  const made = await fetch(`${url}/measurements`, { method: "POST", headers, body: '{"temperature":22}' })
  const location = made.headers.get("location") ?? ""
  expect([made.status, location]).toEqual([201, expect.stringMatching(/^\/measurements\/\d{5}$/)])
  expect(await line()).toBe(`201 POST /measurements made ${location}: {"temperature":22}`)
  expect(await (await fetch(url + location)).json()).toEqual({ temperature: 22 })

  const ended = once(child, "exit")
  child.kill()
  await ended
})
