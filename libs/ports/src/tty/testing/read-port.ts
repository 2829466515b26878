/*
 * Run by the tests as a process of its own, to be killed: appends what it reads from a port to a file.
 */
import { openSync, writeSync } from "node:fs"
import { defaultSettings } from "../../default-settings.ts"
import { createTtyDriver } from "../tty-driver.ts"

const [path = "", file = ""] = process.argv.slice(2)
const kept = openSync(file, "a")
await createTtyDriver(path).open(defaultSettings, {
  onBytes: (bytes) => void writeSync(kept, bytes),
  onOverrun() {},
  onClosed() {},
})
process.send?.("open")
