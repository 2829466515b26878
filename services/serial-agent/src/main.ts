import { runMain } from "@serialcast/service-kit"
import { createSerialAgent } from "./service.ts"

await runMain({ name: "serial-agent", start: createSerialAgent })
