import { defineCommand } from "../command/command.ts"
import { exitCodes } from "../command/exit-code.ts"
import { UsageError } from "../command/usage-error.ts"

const policies = ["off", "show", "open"]

export const upCommand = defineCommand({
  name: "up",
  summary: "Serve this machine's serial ports: page, HTTP, MQTT, all in one process",
  operands: "",
  maxOperands: 0,
  about: ["With npm, options follow two dashes: npm start -- --discover open"],
  options: {
    config: {
      type: "string",
      short: "c",
      value: "file",
      help: "Configuration (default: ./serialcast.yaml when it is there)",
    },
    discover: {
      type: "string",
      value: "policy",
      help: "What to do with ports that are not configured: off, show (default) or open",
    },
  },
  examples: [
    ["serialcast up", "Show what is plugged in, beside three simulated devices"],
    ["serialcast up --discover open", "Open every port found, at 115200 baud"],
    ["serialcast up --config lab.yaml", "Open what the file lists"],
    ["SERIALCAST_HTTP_LISTEN=127.0.0.1:9081 serialcast up", "Any setting from the environment"],
  ],
  async run({ values: { config, discover } }, context) {
    if (discover !== undefined && !policies.includes(discover)) {
      throw new UsageError(`--discover: expected ${policies.join(", ")}; found ${JSON.stringify(discover)}.`)
    }
    // Loaded here, because the other commands start faster without all the services.
    const { runUp } = await import("./run-up.ts")
    await runUp({ config, discover }, context)
    return exitCodes.done
  },
})
