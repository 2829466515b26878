import { expect, test } from "vitest"
import { boardNameOf, parseDevice } from "./board-name.ts"

const own = { address: "ws://box:8266/", device: "local/esp32" }

test.each([
  ["ws://box:8266/", "local/esp32"],
  ["wss://box:8266", "local/esp32"],
  ["ws://box:8267/", "box:8267"],
  ["ws://box:8266/other/", "box:8266/other"],
  ["ws://10.0.0.7/", "10.0.0.7"],
  ["ws:/", ""],
])("at %s is %s", (address, name) => {
  expect(boardNameOf(address, own)).toBe(name)
})

test("without a device the board that the page is of has the name of its address", () => {
  expect(boardNameOf("ws://box:8266/", { ...own, device: null })).toBe("box:8266")
})

test.each([null, [], "local/esp32", {}, { device: 1 }, { device: "" }])("%j tells no device", (told) => {
  expect(parseDevice(told)).toBeNull()
})
