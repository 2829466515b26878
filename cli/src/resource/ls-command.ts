import type { Resource } from "@serialcast/resources"
import { defineCommand } from "../command/command.ts"
import type { CommandContext } from "../command/context.ts"
import { exitCodes } from "../command/exit-code.ts"
import { connectionOptions } from "../gateway/connect.ts"
import { asciiJson, escapeName } from "../terminal/escape-controls.ts"
import { formatTable } from "../terminal/table.ts"
import { listenToResources, type Word } from "./kept-words.ts"
import { methodNames } from "./method-names.ts"
import { readWord } from "./read-word.ts"
import { parseUri, topicsBelow, unknownResource } from "./resource-uri.ts"

const noResources = "There is no resource yet: make one with serialcast resource set.\n"

export const resourceLsCommand = defineCommand({
  name: "resource ls",
  summary: "List resources: address, type, size, and what they may be asked",
  operands: "[uri]",
  maxOperands: 1,
  about: ["With a uri, that one and those below it."],
  options: {
    ...connectionOptions,
    json: { type: "boolean", help: "One JSON object a line, as the resource server lists it" },
  },
  examples: [
    ["serialcast resource ls", "All of them"],
    ["serialcast resource ls /temp", "/temp, and what is below it"],
    ["serialcast resource ls --json | jq -r 'select(.bytes > 1000) | .uri'", "The large ones"],
  ],
  async run({ values, operands: [given] }, context) {
    const uri = given === undefined ? "/" : parseUri(given)
    await using kept = await listenToResources(values, topicsBelow(uri), context)
    await kept.settled()
    const found = await readAll(kept.words, context)
    if (found.length === 0) {
      if (given !== undefined) throw unknownResource(uri)
      await context.stderr.write(noResources)
    } else {
      const lines =
        values.json === true ? found.map((resource) => asciiJson(describe(resource))) : table(found)
      await context.stdout.write(lines.map((line) => `${line}\n`).join(""))
    }
    return exitCodes.done
  },
})

/** By their uris; what is no resource is told on standard error. */
async function readAll(
  words: ReadonlyMap<string, Word>,
  { stderr }: Pick<CommandContext, "stderr">,
): Promise<Resource[]> {
  const found: Resource[] = []
  for (const [uri, word] of [...words].sort(([one], [other]) => (one < other ? -1 : 1))) {
    if (word.text === "") continue
    try {
      found.push(readWord(uri, word))
    } catch (error) {
      await stderr.write(`serialcast resource: ${(error as Error).message}\n`)
    }
  }
  return found
}

/** Whoever named them: a terminal must not obey them. */
function table(found: readonly Resource[]): string[] {
  const rows = found.map(({ uri, contentType, value, methods }) => [
    escapeName(uri),
    escapeName(contentType),
    String(value.byteLength),
    methodNames(methods).join(" ") || "none",
  ])
  return formatTable([["URI", "TYPE", "BYTES", "METHODS"], ...rows])
}

function describe({
  uri,
  contentType,
  value,
  methods,
  childMethods,
  etag,
  changedAt,
  origin,
}: Resource): object {
  return {
    uri,
    contentType,
    bytes: value.byteLength,
    methods: methodNames(methods),
    childMethods: methodNames(childMethods),
    etag,
    // Whoever published it said nothing of a time.
    changed: changedAt === 0 ? null : new Date(changedAt).toISOString(),
    origin,
  }
}
