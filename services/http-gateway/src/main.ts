import { runDeviceService } from "@serialcast/service-kit"
import { createHttpGateway } from "./service.ts"

await runDeviceService({ name: "http-gateway", opens: ["http"], start: createHttpGateway })
