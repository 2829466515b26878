/*
 * Run by the tests as a process of its own: root may open everything, so it becomes another user first.
 */
import { toAppError } from "@serialcast/contract"
import { defaultSettings } from "../../default-settings.ts"
import { createTtyDriver } from "../tty-driver.ts"

const nobody = 65_534
const [path = ""] = process.argv.slice(2)
if (process.getuid?.() === 0) {
  process.setgroups?.([])
  process.setgid?.(nobody)
  process.setuid?.(nobody)
}
const said = await createTtyDriver(path)
  .open(defaultSettings, { onBytes() {}, onOverrun() {}, onClosed() {} })
  .then(
    () => "opened",
    (error: unknown) => toAppError(error).message,
  )
process.send?.(said)
process.disconnect()
