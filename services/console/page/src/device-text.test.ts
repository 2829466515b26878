import { expect, test } from "vitest"
import { describeSettings } from "./device-text.ts"

test.each([
  [{ baudRate: 115_200, dataBits: 8, parity: "none", stopBits: 1, flowControl: "none" }, "115200 8N1"],
  [{ baudRate: 9600, dataBits: 7, parity: "even", stopBits: 2, flowControl: "hardware" }, "9600 7E2 RTS/CTS"],
] as const)("%j reads %s", (settings, text) => expect(describeSettings(settings)).toBe(text))
