import { defineCommand } from "../command/command.ts"
import { bridgeConfig } from "./bridge-config.ts"
import { bridgeOptions } from "./bridge-options.ts"

export const bridgeCommand = defineCommand({
  name: "bridge",
  summary: "Join one serial port and one TCP address until Ctrl-C, without any configuration",
  operands: "",
  maxOperands: 0,
  about: [
    "raw passes bare bytes to as many clients as connect; rfc2217 is telnet with settings and modem lines; serialtcp-server\n" +
      "and serialtcp-client are the two ends of a serial cable through which TCP connections go.",
    "It prints where it listens on standard output; who connects and disconnects, and problems, on standard error.",
  ],
  options: bridgeOptions,
  examples: [
    ["serialcast bridge --device /dev/ttyUSB0@921600 --listen 1234", "Bare bytes on 127.0.0.1:1234"],
    ["serialcast bridge -d /dev/ttyACM0 -l 2217 -p rfc2217", "For esptool --port rfc2217://localhost:2217"],
    ["serialcast bridge -d /dev/ttyUSB0 -l '*:4001' --allow 192.168.1.0/24", "For other machines"],
    ["serialcast bridge -d /dev/ttyUSB0 -l 2222 -p serialtcp-server", "TCP through a cable: here,"],
    ["serialcast bridge -d /dev/ttyUSB0 -p serialtcp-client --connect localhost:22", "and at its other end"],
  ],
  async run({ values }, context) {
    const config = bridgeConfig(values)
    // Loaded here, because the other commands start faster without all the services.
    const { runBridge } = await import("./run-bridge.ts")
    return await runBridge(config, context)
  },
})
