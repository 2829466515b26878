import { AppError } from "@serialcast/contract"
import { expect, test } from "vitest"
import { requestLine } from "./request-line.ts"

const encode = (text: string) => new TextEncoder().encode(text)
const forward = {
  uri: "/board/led",
  device: "local/uno",
  methods: ["GET", "PUT"],
  request: "led {method} {body}",
  reply: ".*",
  contentType: "text/plain",
  timeoutMs: 1,
  eol: "lf",
} as const
const parts = { method: "PUT", uri: "/board/led", body: encode("on"), query: "" }

test("what is in braces is what the request says, at once, and the line has its end", () => {
  const line = (request: string, changes = {}, eol: "lf" | "cr" | "crlf" = "lf") =>
    new TextDecoder().decode(requestLine({ ...forward, request, eol }, { ...parts, ...changes }))
  expect(line("led {method} {body}")).toBe("led PUT on\n")
  expect(line("{uri}?{query}", { query: "a=%20b" }, "crlf")).toBe("/board/led?a=%20b\r\n")
  expect(line('{"set":{"{uri}":"{body}"}}', {}, "cr")).toBe('{"set":{"/board/led":"on"}}\r')
  expect(line("{body} {body}", { body: encode("{query}$& °C\t") })).toBe("{query}$& °C\t {query}$& °C\t\n")
})

test.each([
  ["a body of two lines", { body: encode("a\nb") }],
  ["a body with a return", { body: encode("a\rb") }],
  ["a body with Ctrl-C", { body: encode("\u0003") }],
  ["a body that is too long", { body: encode("x".repeat(1_025)) }],
  ["a body that is no text", { body: Uint8Array.of(0xff) }],
  ["a query of two lines", { query: "a%0Ab" }],
  ["a query that is too long", { query: "x".repeat(1_025) }],
  ["a query that is not escaped as UTF-8", { query: "%ff" }],
])("%s becomes no line", (_what, changes) => {
  expect(() => requestLine(forward, { ...parts, ...changes })).toThrow(AppError)
})
