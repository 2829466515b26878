import { runDeviceService } from "@serialcast/service-kit"
import { createWebrepl } from "./service.ts"

await runDeviceService({ name: "webrepl", opens: ["webrepl"], start: createWebrepl })
