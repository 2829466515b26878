import { AppError } from "@serialcast/contract"
import { expect, test } from "vitest"
import { loadConfig } from "./load-config.ts"

function load(resources: object) {
  return loadConfig({ values: { resources }, env: {} }).resources
}

function problems(resources: object): readonly string[] {
  try {
    load(resources)
    return []
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    return (error as AppError).message.split("\n")
  }
}

const forward = { uri: "/board/led", device: "local/uno", request: "led {method}", reply: "^led (.*)$" }

test("a device that may have resources needs the prefix of its lines", () => {
  expect(load({ devices: { "local/uno": { prefix: "@res" } } }).devices).toEqual({
    "local/uno": { prefix: "@res", methods: ["GET"] },
  })
  expect(problems({ devices: { "local/uno": {} } })).toEqual([
    "resources.devices.local/uno.prefix: expected 1 to 16 visible ASCII characters without a space, like @res, found nothing",
  ])
  expect(problems({ devices: { uno: { prefix: "@res" } } })).toEqual([
    expect.stringContaining("expected a device address like local/uno"),
  ])
})

test("a resource that a device answers needs its line and the pattern of the reply", () => {
  expect(load({ forward: [forward] }).forward).toEqual([
    { ...forward, methods: ["GET"], contentType: "text/plain", timeoutMs: 2_000, eol: "lf" },
  ])
  expect(
    load({ forward: [{ ...forward, request: '{"get":"{uri}"}', timeout: "500ms" }] }).forward,
  ).toMatchObject([{ request: '{"get":"{uri}"}', timeoutMs: 500 }])
})

test.each([
  ["uri", "board/led"],
  ["uri", "/api"],
  ["uri", "/api/v1/led"],
  ["uri", "/board/../led"],
  ["uri", "/board/"],
  ["uri", "/devices/local/uno/tx"],
  ["device", "uno"],
  ["methods", []],
  ["methods", ["HEAD"]],
  ["request", "led {metod}"],
  ["request", "two\nlines"],
  ["reply", "("],
  ["reply", ""],
  ["contentType", "json"],
  ["timeout", "0s"],
  ["timeout", "2m"],
  ["eol", "none"],
])("%s is not %j", (key, value) => {
  const [problem = "", ...others] = problems({ forward: [{ ...forward, [key]: value }] })
  expect(others).toEqual([])
  expect(problem).toMatch(new RegExp(`^resources\\.forward\\.0\\.${key}(?:\\.0)?: expected`))
})

test("a uri is answered by one device", () => {
  expect(problems({ forward: [forward, { ...forward, device: "local/due" }] })).toEqual([
    'resources.forward.1.uri: expected another one, found "/board/led"',
  ])
})
