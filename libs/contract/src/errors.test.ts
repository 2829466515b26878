import { expect, test } from "vitest"
import { AppError, errorCatalogue, isErrorCode, toAppError } from "./errors.ts"

const entries = Object.entries(errorCatalogue)

test("codes and their statuses stay what they are", () => {
  expect(entries.map(([code, { status }]) => `${status} ${code}`).sort()).toMatchInlineSnapshot(`
    [
      "400 bad_cursor",
      "400 bad_hex",
      "400 bad_message",
      "400 bad_request",
      "401 unauthorized",
      "403 cross_site",
      "404 no_such_file",
      "404 unknown_device",
      "404 unknown_path",
      "404 unknown_resource",
      "405 method_not_allowed",
      "408 too_slow",
      "409 cancelled",
      "409 file_exists",
      "409 is_directory",
      "409 lease_lost",
      "409 not_empty",
      "409 out_of_order",
      "409 resource_exists",
      "411 length_required",
      "412 precondition_failed",
      "413 too_large",
      "414 uri_too_long",
      "416 not_kept",
      "421 bad_host",
      "423 leased",
      "429 too_many_attempts",
      "431 headers_too_large",
      "500 bad_config",
      "500 gateway_name_taken",
      "500 internal",
      "500 journal_taken",
      "500 listen_failed",
      "500 output_failed",
      "500 retained_taken",
      "501 no_modem_lines",
      "501 unsupported",
      "502 board_error",
      "502 bytes_missing",
      "502 not_micropython",
      "502 transfer_failed",
      "503 aborted",
      "503 board_busy",
      "503 broker_offline",
      "503 device_offline",
      "503 expired",
      "503 journal_failed",
      "503 open_failed",
      "503 overloaded",
      "503 port_conflict",
      "503 port_shared",
      "503 retained_failed",
      "503 slow_client",
      "504 board_timeout",
      "504 device_silent",
      "504 no_reply",
      "507 board_memory",
      "507 no_space",
      "507 resources_full",
    ]
  `)
})

test.each(entries)("%s is written in lower case, and its fix is a sentence", (code, { status, fix }) => {
  expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/)
  expect(status).toBeGreaterThanOrEqual(400)
  expect(fix).toMatch(/^[A-Z].*[A-Za-z`]\.$/)
})

test("an error carries its code, status, fix and cause", () => {
  const cause = new Error("disk")
  const error = new AppError("too_large", "Found 5 bytes.", { cause })
  const { status, fix } = errorCatalogue.too_large
  expect(error).toMatchObject({ name: "AppError", code: "too_large", status, fix, cause })
  expect(error.toWire()).toEqual({ code: "too_large", message: "Found 5 bytes." })
})

test("what an object inherits is no code", () => {
  expect(["expired", "constructor", "toString", ""].map(isErrorCode)).toEqual([true, false, false, false])
})

test("anything thrown becomes an AppError that keeps it as its cause", () => {
  const known = new AppError("expired", "Too late.")
  expect(toAppError(known)).toBe(known)
  expect(toAppError(new TypeError("x is not a function"))).toMatchObject({
    code: "internal",
    message: "x is not a function",
    cause: expect.any(TypeError),
  })
  expect(toAppError("text")).toMatchObject({ code: "internal", message: "text", cause: "text" })
})

test("a sentence that repeats what was found ends in replies after 1,000 characters, not within one", () => {
  const long = new AppError("bad_request", `found ${"\u{1f600}".repeat(5_000)}`)
  expect(long.toWire().message.length).toBeLessThanOrEqual(1_000)
  expect(long.toWire().message).toMatch(/^found (\u{1f600})+…$/u)
  expect(new AppError("bad_request", "x".repeat(1_000)).toWire().message).toBe("x".repeat(1_000))
})
