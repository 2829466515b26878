/** A process to be killed: it locks a folder, says so, and waits. */
import { systemClock } from "@serialcast/primitives"
import { lockFolder } from "../open/lock-folder.ts"
import { log } from "./quiet-log.ts"

const [, , dir = ""] = process.argv
await lockFolder(dir, { clock: systemClock, log })
// Listening keeps the process.
process.on("message", () => {})
process.send?.("locked")
