/** A process to be killed: it locks a folder, says so, and waits. */
import { createLogger } from "@serialcast/service-kit"
import { lockFolder } from "./lock-folder.ts"

const [, , dir = ""] = process.argv
await lockFolder(dir, { log: createLogger({ name: "child", level: "error" }) })
// Listening keeps the process.
process.on("message", () => {})
process.send?.("locked")
