import type { CommandContext } from "./context.ts"
import { type ExitCode, exitCodes } from "./exit-code.ts"
import { formatHelp, formatUsage, type HelpSpec } from "./help-text.ts"
import { type OptionTable, type ParsedArguments, parseOptions } from "./options.ts"
import { UsageError } from "./usage-error.ts"

/** One command: what it takes, its help and what it does, from one table, so that they cannot disagree. */
export interface CommandSpec<Options extends OptionTable> extends HelpSpec {
  readonly options: Options
  readonly maxOperands: number
  /** Throws `UsageError` before it has done anything, or the `AppError` that kept it from doing its work. */
  run(call: ParsedArguments<Options>, context: CommandContext): Promise<ExitCode>
}

export interface Command {
  readonly name: string
  /** What it does, in a line. */
  readonly summary: string
  readonly usage: string
  readonly help: string
  readonly examples: HelpSpec["examples"]
  /** Those that it is the first word of, by their second one. */
  readonly below?: ReadonlyMap<string, Command>
  /** `args`: those after its name. Throws as `CommandSpec.run`. */
  run(args: readonly string[], context: CommandContext): Promise<ExitCode>
}

const helpOption = { help: { type: "boolean", short: "h", help: "This text" } } as const

export function defineCommand<const Options extends OptionTable>(spec: CommandSpec<Options>): Command {
  const options = { ...spec.options, ...helpOption }
  const { name, summary, examples, maxOperands } = spec
  const help = formatHelp({ ...spec, options })
  return {
    name,
    summary,
    usage: formatUsage(spec),
    help,
    examples,
    async run(args, context) {
      const call = parseOptions(options, args)
      if (call.values.help === true) {
        await context.stdout.write(help)
        return exitCodes.done
      }
      const excess = call.operands[maxOperands]
      if (excess !== undefined) throw new UsageError(`One argument too many: ${JSON.stringify(excess)}.`)
      return await spec.run(call, context)
    },
  }
}
