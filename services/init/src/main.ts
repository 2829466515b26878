import { runOnce } from "@serialcast/service-kit"
import { initialize } from "./initialize.ts"

await runOnce({
  name: "init",
  run: (config) => initialize(config, { print: (text) => process.stdout.write(text) }),
})
