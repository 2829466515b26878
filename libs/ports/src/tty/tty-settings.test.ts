import { expect, test } from "vitest"
import { defaultSettings } from "../default-settings.ts"
import { sttyArguments } from "./tty-settings.ts"

const raw = "raw -echo -iexten min 1 time 0 clocal cread -hupcl"

test.each([
  [{}, "cs8 -parenb -cmspar -parodd -cstopb -crtscts -ixon -ixoff 115200"],
  [
    { baudRate: 9_600, dataBits: 7, parity: "even" },
    "cs7 parenb -cmspar -parodd -cstopb -crtscts -ixon -ixoff 9600",
  ],
  [
    { parity: "odd", stopBits: 2, flowControl: "hardware" },
    "cs8 parenb -cmspar parodd cstopb crtscts -ixon -ixoff 115200",
  ],
  [{ parity: "mark" }, "cs8 parenb cmspar parodd -cstopb -crtscts -ixon -ixoff 115200"],
  [{ parity: "space" }, "cs8 parenb cmspar -parodd -cstopb -crtscts -ixon -ixoff 115200"],
  [{ baudRate: 74_880, flowControl: "software" }, "cs8 -parenb -cmspar -parodd -cstopb -crtscts ixon ixoff"],
] as const)("%j in the words of stty: %s", (changed, expected) => {
  expect(sttyArguments({ ...defaultSettings, ...changed }).join(" ")).toBe(`${raw} ${expected}`)
})
