import { mkdirSync, writeFileSync } from "node:fs"
import { createTemporaryFolder } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { createPage } from "./page-files.ts"

function ask(path: string, { method = "GET", isBuilt = true } = {}): string {
  const folder = createTemporaryFolder()
  onTestFinished(() => folder[Symbol.dispose]())
  mkdirSync(`${folder.path}/assets`)
  writeFileSync(`${folder.path}/secret.pem`, "secret")
  writeFileSync(`${folder.path}/assets/index-a1.js`, "let page")
  if (isBuilt) writeFileSync(`${folder.path}/index.html`, "<!doctype html>")
  const answer = createPage(folder.path)("local/uno")({ method, path, webSocketKey: null, hasOrigin: false })
  return Buffer.from(answer).toString("latin1")
}

test("the page may run its own files alone, nobody may frame it, and it is not kept", () => {
  const answer = ask("/")
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(answer).toMatch(/\r\n\r\n<!doctype html>$/)
  expect(answer).toContain("Content-Security-Policy: default-src 'none'; script-src 'self'; ")
  expect(answer).toContain("frame-ancestors 'none'")
  expect(answer).toContain("Cache-Control: no-store")
  expect(answer).toContain("X-Content-Type-Options: nosniff")
})

test("its files are found by their names, and of nothing else", () => {
  expect(ask("/assets/index-a1.js")).toMatch(/text\/javascript[^]*immutable[^]*let page$/)
  for (const path of ["/secret.pem", "/../page-files.ts", "/assets/../index.html", "/assets", "//", ""])
    expect(ask(path)).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/)
})

test("it is told whose page it is, which changes with the configuration", () => {
  const answer = ask("/device.json")
  expect(answer).toMatch(/application\/json[^]*\r\n\r\n{"device":"local\/uno"}$/)
  expect(answer).toContain("Cache-Control: no-store")
})

test("only what has a hash in its name is kept", () => {
  expect(ask("/index.html")).toContain("Cache-Control: no-store")
})

test("HEAD is answered without the body, and other methods are refused", () => {
  expect(ask("/", { method: "HEAD" })).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/)
  expect(ask("/", { method: "POST" })).toMatch(/^HTTP\/1\.1 405 [^]*Allow: GET, HEAD\r\n/)
})

test("a page that is not built says how it is", () => {
  expect(ask("/", { isBuilt: false })).toMatch(/^HTTP\/1\.1 503 [^]*npm run build/)
})
