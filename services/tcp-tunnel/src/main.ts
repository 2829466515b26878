import { createDeviceClient } from "@serialcast/device-stream"
import { connectToBroker, runMain } from "@serialcast/service-kit"
import { connectReporter } from "./report/connect-reporter.ts"
import { createTcpTunnel } from "./service.ts"

await runMain({
  name: "tcp-tunnel",
  async start(config, deps) {
    const devices = await createDeviceClient(connectToBroker(config, deps, { name: "tcp-tunnel" }), deps)
    const broker = connectReporter(config, deps)
    const running = await createTcpTunnel(config, { ...deps, devices, broker })
    return {
      ...running,
      async stop() {
        await running.stop()
        await devices.close()
      },
    }
  },
})
