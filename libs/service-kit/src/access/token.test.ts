import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { loadConfig } from "../config/load-config.ts"
import { createTokenFile, readToken, tokenFileAdvice, tokensMatch } from "./token.ts"

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "serialcast-token-"))
})
afterEach(() => rmSync(directory, { recursive: true }))

test("a new token is 256 random bits in a file that only its owner reads, and nothing else is left", () => {
  const file = join(directory, "secrets", "token")
  const { token, created } = createTokenFile(file)
  expect(created).toBe(true)
  expect(Buffer.from(token, "base64url")).toHaveLength(32)
  expect(readFileSync(file, "utf8")).toBe(`${token}\n`)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readdirSync(join(directory, "secrets"))).toEqual(["token"])
  expect(readToken(file)).toBe(token)
})

test("a token that other users can read is told, with the command that mends it", () => {
  const file = join(directory, "token")
  createTokenFile(file)
  const config = loadConfig({ env: { SERIALCAST_ACCESS_TOKEN_FILE: file }, directory })
  expect(tokenFileAdvice(config)).toBeNull()
  for (const mode of [0o640, 0o604, 0o620]) {
    chmodSync(file, mode)
    expect(tokenFileAdvice(config)).toContain(`chmod 600 ${file}`)
  }
  expect(tokenFileAdvice(loadConfig({ env: {}, directory }))).toBeNull()
})

test("a token that is there is kept", () => {
  const file = join(directory, "token")
  writeFileSync(file, "written-by-an-operator\n")
  expect(createTokenFile(file)).toEqual({ token: "written-by-an-operator", created: false })
})

test.each([
  ["", "found an empty file"],
  ["short\n", "found something else"],
  ["nineteen.characters\n", "found something else"],
  ["two words are not one token", "found something else"],
  ["breaks-a-link&a-command'", "found something else"],
  ["breaks-a-link-to-it+%#?/", "found something else"],
])("a file with %j is refused", (text, reason) => {
  const file = join(directory, "token")
  writeFileSync(file, text)
  expect(() => readToken(file)).toThrow(reason)
})

test("a missing file is told by name, with what to do", () => {
  expect(() => readToken(join(directory, "none"))).toThrow(
    /none does not exist\. The init service creates it/,
  )
})

test("a place where no file can be is told", () => {
  writeFileSync(join(directory, "file"), "")
  expect(() => createTokenFile(join(directory, "file", "token"))).toThrow(/^access\.tokenFile: .* cannot be/)
})

test("tokens match only when equal, whatever their lengths", () => {
  expect(tokensMatch("abc", "abc")).toBe(true)
  expect(["", "ab", "abcd", "abd"].some((given) => tokensMatch(given, "abc"))).toBe(false)
})
