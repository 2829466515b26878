import { createDeviceClient } from "@serialcast/device-stream"
import { connectToBroker, runMain } from "@serialcast/service-kit"
import { createConsole } from "./service.ts"

await runMain({
  name: "console",
  async start(config, deps) {
    const devices = await createDeviceClient(connectToBroker(config, deps, { name: "console" }), deps)
    const running = await createConsole(config, { ...deps, devices })
    return {
      ...running,
      async stop() {
        await running.stop()
        await devices.close()
      },
    }
  },
})
