import { runMain } from "@serialcast/service-kit"
import { createBroker } from "./service.ts"

await runMain({ name: "broker", opens: ["broker"], start: createBroker })
