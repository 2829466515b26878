/** A process to be killed: it locks a folder, says so, and waits. */
import { systemClock } from "@serialcast/primitives"
import { createLogger } from "@serialcast/service-kit"
import { lockFolder } from "./lock-folder.ts"

const [, , dir = ""] = process.argv
await lockFolder(dir, { clock: systemClock, log: createLogger({ name: "child", level: "error" }) })
// Listening keeps the process.
process.on("message", () => {})
process.send?.("locked")
