import { runMain } from "@serialcast/service-kit"
import { createResourceServer } from "./service.ts"

await runMain({ name: "resource-server", opens: ["resources"], start: createResourceServer })
