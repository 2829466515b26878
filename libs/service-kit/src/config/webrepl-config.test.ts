import { AppError } from "@serialcast/contract"
import { expect, test } from "vitest"
import { listeningParts } from "./colliding-listeners.ts"
import { loadConfig } from "./load-config.ts"

function load(...webrepl: readonly object[]) {
  return loadConfig({ values: { webrepl }, env: {}, opens: listeningParts }).webrepl
}

function problems(...webrepl: readonly object[]): readonly string[] {
  try {
    load(...webrepl)
    return []
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    return (error as AppError).message.split("\n")
  }
}

const device = "local/esp32"
const password = { text: "secret" }

test("a board needs its device and a password", () => {
  expect(load({ device, password })).toEqual([
    {
      listen: { host: "127.0.0.1", port: 8266 },
      device,
      password,
      watchers: 0,
      takeOver: false,
      staticHost: null,
      debug: false,
      tls: null,
    },
  ])
})

test("where other machines reach it, its password says who may use it", () => {
  const file = { file: "/run/secrets/webrepl" }
  expect(load({ listen: "*:8266", device, password: file })[0]?.password).toEqual(file)
})

test("without a password one line says what to do", () => {
  expect(problems({ device })).toEqual([
    "webrepl.0.password: expected a password, as `{ file: /path/of/a/file }` or `{ text: … }`: without one everybody could use the board, found nothing",
  ])
})

test.each([
  ["text in its place", "hunter2"],
  ["two of them", { text: "hunter2", file: "hunter2" }],
  ["a number", { text: 42_427_777 }],
  ["nothing in it", { text: "" }],
])("a password that is %s is a problem that does not show it", (_what, wrong) => {
  const [problem = "", ...others] = problems({ device, password: wrong })
  expect(others).toEqual([])
  expect(problem).toMatch(/^webrepl\.0\.password/)
  expect(problem).not.toMatch(/hunter2|42427777/)
})

test("one port for each board: two at the default are in each other's way", () => {
  expect(problems({ device, password }, { device: "local/pico", password })).toEqual([
    'webrepl.1.listen: expected another port than that of webrepl.0.listen (127.0.0.1:8266), found "127.0.0.1:8266"',
  ])
  expect(
    problems({ device, password }, { device: "local/pico", password, listen: "127.0.0.1:8267" }),
  ).toEqual([])
  expect(problems({ device, password, listen: "127.0.0.1:8080" })).toHaveLength(1)
})

test.each(["ftp://example.org/", "https://example.org/webrepl", 'https://example.org/"/', "webrepl/"])(
  "%s is no folder that a page comes from",
  (staticHost) => {
    expect(problems({ device, password, staticHost })).toEqual([
      expect.stringMatching(/^webrepl\.0\.staticHost: expected the URL of a folder/),
    ])
  },
)
