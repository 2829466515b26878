import { systemClock } from "@serialcast/primitives"
import { chooseDriver } from "../../../choose-driver.ts"
import { defaultSettings } from "../../../default-settings.ts"
import { PortRecord } from "../../../testing/port-record.ts"
import { childrenOf } from "./children-of.ts"

// Has a board compute for ever, says which process that is, and waits to be killed.
// Our clock alone keeps no process alive.
setInterval(() => {}, 1_000)
const heard = new PortRecord()
const port = await chooseDriver("sim:micropython", systemClock).open(defaultSettings, heard)
await port.write(new TextEncoder().encode("while True: pass\r\r"))
while (!new TextDecoder().decode(heard.bytes).endsWith("pass\r\n... \r\n"))
  await new Promise((resolve) => setTimeout(resolve, 10))
process.stdout.write(childrenOf(process.pid).join())
