import { closestName, didYouMean, version } from "@serialcast/service-kit"
import { attachCommand, replCommand } from "./attach/attach-command.ts"
import { getCommand } from "./board/get-command.ts"
import { lsCommand } from "./board/ls-command.ts"
import { mkdirCommand } from "./board/mkdir-command.ts"
import { putCommand } from "./board/put-command.ts"
import { resetCommand } from "./board/reset-command.ts"
import { rmCommand } from "./board/rm-command.ts"
import { runCommand } from "./board/run-command.ts"
import { bridgeCommand } from "./bridge/bridge-command.ts"
import type { Command } from "./command/command.ts"
import type { CommandContext } from "./command/context.ts"
import { type ExitCode, exitCodes } from "./command/exit-code.ts"
import { columns } from "./command/help-text.ts"
import { UsageError } from "./command/usage-error.ts"
import { devicesCommand } from "./devices/devices-command.ts"
import { historyCommand } from "./history/history-command.ts"
import { resourceCommand } from "./resource/resource-command.ts"
import { tailCommand } from "./tail/tail-command.ts"
import { upCommand } from "./up/up-command.ts"
import { writeCommand } from "./write/write-command.ts"

const commands: readonly Command[] = [
  upCommand,
  bridgeCommand,
  devicesCommand,
  attachCommand,
  tailCommand,
  writeCommand,
  historyCommand,
  resourceCommand,
  replCommand,
  lsCommand,
  getCommand,
  putCommand,
  rmCommand,
  mkdirCommand,
  runCommand,
  resetCommand,
]

const helpText = [
  `serialcast ${version}: serial devices on the network, with no byte lost without being told`,
  "",
  "Usage: serialcast <command> [options]",
  "",
  "Commands",
  ...columns(commands.map(({ name, summary }) => [name, summary])),
  "",
  "Options",
  ...columns([
    ["-h, --help", "This text; with a command, its options and examples"],
    ["-v, --version", "The version"],
  ]),
  "",
  "Examples",
  ...columns(commands.flatMap(({ examples }) => examples.slice(0, 1))),
  "",
  "Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 bytes that were asked for are not kept any more",
  "",
].join("\n")

/**
 * Runs the command that the arguments name. Throws what it throws, and `UsageError` for a command that there is not.
 */
export async function runCommandLine(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const [name = "help", ...rest] = args
  switch (name) {
    case "-v":
    case "--version":
      await context.stdout.write(`${version}\n`)
      return exitCodes.done
    case "-h":
    case "--help":
    case "help": {
      const [topic, word] = rest
      const command = topic === undefined ? undefined : findCommand(topic)
      await context.stdout.write((command?.below?.get(word ?? "") ?? command)?.help ?? helpText)
      return exitCodes.done
    }
    default:
      return await findCommand(name).run(rest, context)
  }
}

/** How the command of these arguments is used; how all are when they name none. */
export function usageOf([name, word = ""]: readonly string[]): string {
  const found = commands.find((candidate) => candidate.name === name)
  const command = found?.below?.get(word) ?? found
  if (command === undefined) return helpText
  return `${command.usage}\nserialcast ${command.name} --help says more.\n`
}

function findCommand(name: string): Command {
  const command = commands.find((candidate) => candidate.name === name)
  if (command !== undefined) return command
  const names = commands.map((candidate) => candidate.name)
  throw new UsageError(`There is no command ${JSON.stringify(name)}${didYouMean(closestName(name, names))}`)
}
