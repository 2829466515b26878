import { expect, test } from "vitest"
import { parseHexTarget } from "./hex-target.ts"

const uno = "local/uno"

test.each([
  ["/readbytes", { kind: "read", address: uno }],
  ["//readbytes", { kind: "read", address: uno }],
  ["/writebytes/", { kind: "write", address: uno, digits: "" }],
  ["/writebytes/4142", { kind: "write", address: uno, digits: "4142" }],
  ["/writebytes/4142?x=1", { kind: "write", address: uno, digits: "4142?x=1" }],
  ["/writebytes/%34%31", { kind: "write", address: uno, digits: "%34%31" }],
  ["/devices/lab/gps/readbytes", { kind: "read", address: "lab/gps" }],
  ["/devices/lab/gps/writebytes/41", { kind: "write", address: "lab/gps", digits: "41" }],
])("%s", (target, expected) => {
  expect(parseHexTarget(target, uno)).toEqual(expected)
})

test.each([
  "/",
  "/writebytes",
  "/readbytes/",
  "/readbytes?x=1",
  "/WRITEBYTES/41",
  "/devices/A/b/readbytes",
  "/devices/lab/readbytes",
  "",
])("%s is not the hex server's", (target) => expect(parseHexTarget(target, uno)).toBeUndefined())
