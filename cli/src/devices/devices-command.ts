import { type DeviceState, formatAddress } from "@serialcast/contract"
import type { DeviceDirectory } from "@serialcast/device-stream"
import { createWakeup } from "@serialcast/primitives"
import { defineCommand } from "../command/command.ts"
import type { CommandContext } from "../command/context.ts"
import { exitCodes } from "../command/exit-code.ts"
import { connectionOptions, connectToGateway } from "../gateway/connect.ts"
import { asciiJson } from "../terminal/escape-controls.ts"
import { createPaint } from "../terminal/paint.ts"
import { formatDevices } from "./device-table.ts"

// ECMA-48 §8.3.39 and §8.3.57: erase the page, cursor to its first place.
const clearScreen = "\u001b[2J\u001b[H"
const noDevices =
  "There is no device yet: plug one in, or list it under devices: in the configuration of the gateway.\n"

export const devicesCommand = defineCommand({
  name: "devices",
  summary: "List the devices of all gateways: state, port, settings, what they are, and their problems",
  operands: "",
  maxOperands: 0,
  about: [
    "A port that is `found` is not opened: list it in the configuration, or start with --discover open.",
  ],
  options: {
    ...connectionOptions,
    json: { type: "boolean", help: "One JSON object a line: the device's state as it is on the broker" },
    watch: { type: "boolean", short: "w", help: "Go on with what changes, until Ctrl-C" },
  },
  examples: [
    ["serialcast devices", "What is there"],
    ["serialcast devices --watch", "Follow what is plugged in and out"],
    ["serialcast devices --json | jq -r 'select(.online) | .device'", "The names of those that can be used"],
  ],
  async run({ values }, context) {
    await using gateway = await connectToGateway(values, context)
    const { devices } = gateway.client
    if (devices.list().length === 0) await context.stderr.write(noDevices)
    const print = values.json === true ? jsonPrinter(context) : tablePrinter(context)
    if (values.watch === true) await watch(devices, print, context.signal)
    else await print(devices.list(), devices)
    return exitCodes.done
  },
})

/** Shows what changed; `devices` has the rest. */
type Print = (changed: readonly DeviceState[], devices: DeviceDirectory) => Promise<void>

/** A withdrawn device has `removed: true`. */
function jsonPrinter({ stdout }: CommandContext): Print {
  return async (changed, devices) => {
    const lines = changed.map((state) =>
      asciiJson(devices.get(formatAddress(state)) ?? { ...state, removed: true }),
    )
    await stdout.write(lines.map((line) => `${line}\n`).join(""))
  }
}

/** A terminal shows the list as it is now; elsewhere the changed ones follow the list. */
function tablePrinter({ stdout }: CommandContext): Print {
  const paint = createPaint(stdout.hasColors)
  let isFirst = true
  return async (changed, devices) => {
    const list = stdout.isTerminal ? devices.list() : changed.map((state) => newest(state, devices))
    const lines = formatDevices(list, paint).slice(isFirst || stdout.isTerminal ? 0 : 1)
    const start = isFirst || !stdout.isTerminal ? "" : clearScreen
    isFirst = false
    if (list.length > 0) await stdout.write(`${start}${lines.join("\n")}\n`)
  }
}

function newest(state: DeviceState, devices: DeviceDirectory): DeviceState {
  const problem = { code: "unknown_device", message: "Removed from its gateway." }
  return devices.get(formatAddress(state)) ?? { ...state, online: false, problem }
}

async function watch(devices: DeviceDirectory, print: Print, signal: AbortSignal): Promise<void> {
  const changed = new Map<string, DeviceState>()
  const news = createWakeup()
  const forget = devices.onChange((state) => {
    changed.set(formatAddress(state), state)
    news.wake()
  })
  await print(devices.list(), devices)
  while (!signal.aborted) {
    if (changed.size === 0) await news.wait({ signal })
    const states = [...changed.values()]
    changed.clear()
    if (states.length > 0) await print(states, devices)
  }
  forget()
}
