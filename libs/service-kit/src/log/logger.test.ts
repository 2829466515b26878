import { expect, test } from "vitest"
import { createLogger } from "./logger.ts"

function capture(pretty = false) {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  return { lines, log: createLogger({ name: "test", level: "debug", pretty, destination }) }
}

test("a line is JSON with time, level, service, fields and message", () => {
  const { lines, log } = capture()
  log.info({ port: "/dev/ttyUSB0" }, "opened")
  expect(lines).toHaveLength(1)
  expect(JSON.parse(lines[0]!)).toEqual({
    level: "info",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    service: "test",
    port: "/dev/ttyUSB0",
    msg: "opened",
  })
})

test("secrets are hidden wherever they stand", () => {
  const { lines, log } = capture()
  log.info({ token: "s3cret", request: { headers: { authorization: "s3cret", cookie: "s3cret" } } })
  log.warn({ options: { password: "s3cret" }, url: "mqtt://me:s3cret@broker/" }, "GET /?token=s3cret&x=1")
  expect(lines.join("")).not.toContain("s3cret")
  expect(lines[1]).toContain("mqtt://[redacted]@broker/")
  expect(lines[1]).toContain("GET /?token=[redacted]&x=1")
})

test("secrets are hidden in the words of a line too, whatever characters are in a password", () => {
  const { lines, log } = capture()
  log.info({ url: "mqtt://me:s3@cr/et@broker" }, "Authorization: Bearer s3cret, Basic s3cret==")
  log.info("cookie: a=b; serialcast_session=s3cret; c=d, GET /?access_token=s3cret")
  expect(lines.join("")).not.toMatch(/s3/)
  expect(lines.join("")).toMatch(/mqtt:\/\/\[redacted\]@broker.*Bearer \[redacted\] Basic .*; c=d/s)
})

test("device bytes do not reach the log", () => {
  const { lines, log } = capture()
  log.info({ payload: new Uint8Array([65, 66]), text: new TextEncoder().encode("hello") })
  expect(JSON.parse(lines[0]!)).toMatchObject({ payload: "[2 bytes]", text: "[5 bytes]" })
})

test("neither secrets nor bytes reach it nested, in errors, in child loggers or as values of a format", () => {
  const { lines, log } = capture()
  const bytes = new TextEncoder().encode("hello")
  log.info({ chunk: { b: bytes }, a: { b: { c: { token: "s3cret" } } } })
  log.error(Object.assign(new Error("broken"), { bytes, token: "s3cret" }))
  log.error({ err: Object.assign(new Error("broken"), { bytes }) }, "failed")
  log
    .child({ options: { token: "s3cret" } })
    .child({ last: bytes, token: "s3cret" })
    .info("opened")
  log.info("got %o and %j", { token: "s3cret", bytes }, { bytes })
  expect(lines).toHaveLength(5)
  expect(lines.join("")).not.toMatch(/s3cret|104|aGVsbG8/)
  expect(JSON.parse(lines[1]!)).toMatchObject({ err: { type: "Error", bytes: "[5 bytes]" }, msg: "broken" })
  expect(JSON.parse(lines[2]!)).toMatchObject({ err: { message: "broken" }, msg: "failed" })
  expect(JSON.parse(lines[3]!)).toMatchObject({ last: "[5 bytes]", msg: "opened" })
})

test.each([false, true])("control characters of others do not steer a terminal (pretty: %s)", (pretty) => {
  const { lines, log } = capture(pretty)
  const hostile = 'a\u001b[2J\u009b31m\r\nforged\u202e\u007f"\\n'
  log.info({ product: hostile }, hostile)
  log.child({ device: hostile }).error(new Error(hostile))
  const shown = lines.flatMap((line) => [line, pretty ? "" : JSON.stringify(Object.values(JSON.parse(line)))])
  const withoutLineEnds = shown.map((text) => text.replaceAll("\n", ""))
  // Colours are the only escapes that the pretty form may add, and it has none without a terminal.
  // oxlint-disable-next-line no-control-regex
  expect(withoutLineEnds.join("")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/)
  expect(lines.join("")).toContain("u001b[2J")
  expect(
    lines
      .join("")
      .split("\n")
      .some((line) => line.startsWith("forged")),
  ).toBe(false)
})

test("a stack keeps its lines", () => {
  const { lines, log } = capture()
  log.error(new Error("broken"))
  expect(JSON.parse(lines[0]!).err.stack.split("\n").length).toBeGreaterThan(2)
})
