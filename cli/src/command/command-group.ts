import { closestName, didYouMean } from "@serialcast/service-kit"
import type { Command } from "./command.ts"
import { exitCodes } from "./exit-code.ts"
import { columns } from "./help-text.ts"
import { parseOptions } from "./options.ts"
import { UsageError } from "./usage-error.ts"

/** Commands of two words, of which the first is the same. */
export interface CommandGroup {
  readonly name: string
  readonly summary: string
  /** As `HelpSpec.about`. */
  readonly about: readonly string[]
  /** Their names are those two words. */
  readonly commands: readonly Command[]
}

export function defineGroup({ name, summary, about, commands }: CommandGroup): Command {
  const below = new Map(commands.map((command) => [command.name.slice(name.length + 1), command]))
  const words = [...below.keys()]
  const usage = `Usage: serialcast ${name} <${words.join("|")}> [options]`
  const examples = commands.flatMap((command) => command.examples.slice(0, 1))
  const help = [
    usage,
    "",
    `${summary}.`,
    ...about.flatMap((paragraph) => ["", paragraph]),
    "",
    "Commands",
    ...columns(commands.map((command) => [command.name, command.summary])),
    "",
    "Options",
    ...columns([["-h, --help", "This text; behind a command, its options and examples"]]),
    "",
    "Examples",
    ...columns(examples),
    "",
  ].join("\n")
  return {
    name,
    summary,
    usage,
    help,
    examples,
    below,
    async run([word, ...rest], context) {
      if (word === "-h" || word === "--help") {
        await context.stdout.write(help)
        return exitCodes.done
      }
      // It has no options of its own.
      if (word?.startsWith("-")) parseOptions({}, [word])
      const command = below.get(word ?? "")
      if (command !== undefined) return await command.run(rest, context)
      if (word === undefined) throw new UsageError(`Expected one of ${words.join(", ")} behind ${name}.`)
      const hint = didYouMean(closestName(word, words)) || `; there are ${words.join(", ")}.`
      throw new UsageError(`There is no command ${JSON.stringify(`${name} ${word}`)}${hint}`)
    },
  }
}
