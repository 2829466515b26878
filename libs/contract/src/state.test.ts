import { expect, test } from "vitest"
import { deviceStateSchema, gatewayStatusSchema, parseJsonPayload } from "./state.ts"

const status = {
  online: true,
  instance: "1",
  version: "0.1.0",
  started: "2030-01-01T00:00:00Z",
  devices: ["uno"],
}
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))

test("a status and a last will are understood, fields of later versions are dropped", () => {
  expect(parseJsonPayload(gatewayStatusSchema, encode({ ...status, color: "red" }))).toEqual(status)
  expect(parseJsonPayload(gatewayStatusSchema, encode({ online: false }))).toEqual({ online: false })
})

test.each([
  ["nothing", new Uint8Array(0)],
  ["no JSON", new TextEncoder().encode("{")],
  ["null", encode(null)],
  ["a status without its devices", encode({ ...status, devices: undefined })],
  ["a device with a bad name", encode({ ...status, devices: ["../uno"] })],
])("%s is no status", (_, payload) => expect(parseJsonPayload(gatewayStatusSchema, payload)).toBeUndefined())

test("a status is no device state", () => {
  expect(parseJsonPayload(deviceStateSchema, encode(status))).toBeUndefined()
})
