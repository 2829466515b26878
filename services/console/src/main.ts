import { runDeviceService } from "@serialcast/service-kit"
import { createConsole } from "./service.ts"

await runDeviceService({ name: "console", opens: ["console"], start: createConsole })
