import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { loadConfig } from "@serialcast/service-kit"
import { expect, onTestFinished, test } from "vitest"
import { initialize } from "./initialize.ts"

function run(env: Record<string, string>) {
  let printed = ""
  const config = loadConfig({ env, directory: "/nonexistent" })
  initialize(config, { print: (text) => (printed += text) })
  return printed
}

test("the first run creates the token, and every run prints the link and the commands that use it", () => {
  const directory = mkdtempSync(join(tmpdir(), "serialcast-init-"))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, "token")
  const env = { SERIALCAST_ACCESS_TOKEN_FILE: file, SERIALCAST_CONSOLE_LISTEN: "*:9999" }
  const printed = run(env)
  const token = readFileSync(file, "utf8").trim()
  expect(printed).toContain(`http://localhost:9999/?token=${token}\n`)
  expect(printed).toContain(`'Authorization: Bearer ${token}' http://localhost:8081/api/v1/devices`)
  expect(printed).toContain(`mosquitto_sub -p 1883 -u me -P '${token}' -v -t 'serialcast/#'`)
  expect(run(env)).toBe(printed)
})

test("without a file to keep it in, the variable is named", () => {
  expect(() => run({})).toThrow("SERIALCAST_ACCESS_TOKEN_FILE")
})
