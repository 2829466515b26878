import { expect, test } from "vitest"
import { parseSttyReport } from "./stty-report.ts"

const speed = "speed 9600 baud; rows 0; columns 0; line = 0;\nintr = ^C; min = 1; time = 0;\n"
const raw = "-istrip -inlcr -igncr -icrnl -iuclc -ixany\n-opost onlcr -isig -icanon iexten -echo echoe"

test.each([
  [
    "-parenb -parodd -cmspar cs8 -hupcl -cstopb cread clocal -crtscts",
    "-ixon -ixoff",
    [8, "none", 1, "none"],
  ],
  ["parenb -parodd -cmspar cs7 hupcl cstopb cread clocal -crtscts", "ixon ixoff", [7, "even", 2, "software"]],
  [
    "parenb parodd -cmspar cs6 -hupcl -cstopb cread clocal crtscts",
    "-ixon -ixoff",
    [6, "odd", 1, "hardware"],
  ],
  ["parenb parodd cmspar cs5 -hupcl -cstopb cread clocal -crtscts", "ixon -ixoff", [5, "mark", 1, "none"]],
  ["parenb -parodd cmspar cs8 -hupcl -cstopb cread clocal -crtscts", "-ixon ixoff", [8, "space", 1, "none"]],
  ["-parenb parodd cmspar cs8 -hupcl -cstopb cread clocal -crtscts", "-ixon -ixoff", [8, "none", 1, "none"]],
] as const)("%s %s is %j", (control, input, [dataBits, parity, stopBits, flowControl]) => {
  const report = parseSttyReport(`${speed}${control}\n-ignbrk ${input} ${raw}\n`)
  expect(report).toEqual({ dataBits, parity, stopBits, flowControl })
})

test.each([
  ["a terminal that is not raw", `${speed}-parenb cs8 ${raw.replace("-echo", "echo")}`],
  ["nothing", ""],
  ["other words", "stty: invalid argument"],
])("%s is no serial port's report", (_what, text) => {
  expect(parseSttyReport(text)).toBeNull()
})
