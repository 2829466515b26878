import { runDeviceService } from "@serialcast/service-kit"
import { createResourceServer } from "./service.ts"

await runDeviceService({ name: "resource-server", opens: ["resources"], start: createResourceServer })
