import { parseArgs } from "node:util"
import { AppError } from "@serialcast/contract"
import { version } from "@serialcast/service-kit"

export const helpText = `serialcast ${version}: serial devices on the network, with no byte lost without being told

Usage
  serialcast up [options]     Serve this machine's serial ports: page, HTTP, MQTT, all in one process

Options
  -c, --config <file>         Configuration (default: ./serialcast.yaml when it is there)
      --discover <policy>     What to do with ports that are not configured: off, show (default) or open
  -h, --help                  This text
  -v, --version               The version

Examples
  serialcast up                                    Show what is plugged in, beside two simulated devices
  serialcast up --discover open                    Open every port found, at 115200 baud
  serialcast up --config lab.yaml                  Open what the file lists
  SERIALCAST_HTTP_LISTEN=127.0.0.1:9081 serialcast up   Any setting from the environment

With npm, options follow two dashes: npm start -- --discover open
`

export interface UpCommand {
  readonly name: "up"
  readonly config: string | undefined
  readonly discover: string | undefined
}

export type Command = UpCommand | { readonly name: "help" | "version"; readonly text: string }

/** Reads the arguments after the program's name. Throws `bad_request` for what it does not know. */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args)
  if (values.version) return { name: "version", text: version }
  const [name, ...rest] = positionals
  if (values.help || name === undefined || name === "help") return { name: "help", text: helpText.trimEnd() }
  if (name !== "up" || rest.length > 0) {
    throw new AppError(
      "bad_request",
      `Expected the command up; found ${JSON.stringify(positionals.join(" "))}.`,
    )
  }
  const { config, discover } = values
  if (discover !== undefined && !policies.includes(discover)) {
    throw new AppError(
      "bad_request",
      `--discover: expected ${policies.join(", ")}; found ${JSON.stringify(discover)}.`,
    )
  }
  return { name, config, discover }
}

const policies = ["off", "show", "open"]

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        config: { type: "string", short: "c" },
        discover: { type: "string" },
        help: { type: "boolean", short: "h" },
        version: { type: "boolean", short: "v" },
      },
    })
  } catch (cause) {
    throw new AppError("bad_request", cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
