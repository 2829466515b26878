import { runDeviceService } from "@serialcast/service-kit"
import { connectReporter } from "./report/connect-reporter.ts"
import { createTcpTunnel } from "./service.ts"

await runDeviceService({
  name: "tcp-tunnel",
  opens: ["tunnels"],
  start: (config, deps) => createTcpTunnel(config, { ...deps, broker: connectReporter(config, deps) }),
})
