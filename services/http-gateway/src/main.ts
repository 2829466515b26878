import { createDeviceClient } from "@serialcast/device-stream"
import { connectToBroker, runMain } from "@serialcast/service-kit"
import { createHttpGateway } from "./service.ts"

await runMain({
  name: "http-gateway",
  async start(config, deps) {
    const devices = await createDeviceClient(connectToBroker(config, deps, { name: "http-gateway" }), deps)
    const running = await createHttpGateway(config, { ...deps, devices })
    return {
      ...running,
      async stop() {
        await running.stop()
        await devices.close()
      },
    }
  },
})
