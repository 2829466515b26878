import { AppError } from "@serialcast/contract"
import { defineCommand } from "../command/command.ts"
import { exitCodes } from "../command/exit-code.ts"
import { connectionOptions } from "../gateway/connect.ts"
import { type KeptWords, listenToResources } from "./kept-words.ts"
import { isNumbered } from "./read-word.ts"
import { parseUri, shown, topicOf, topicsBelow, unknownResource } from "./resource-uri.ts"

export const resourceRmCommand = defineCommand({
  name: "resource rm",
  summary: "Remove a resource",
  operands: "<uri>",
  maxOperands: 1,
  about: ["Those below it stay, unless --recursive is given. The methods that it takes do not matter here."],
  options: {
    ...connectionOptions,
    recursive: { type: "boolean", short: "r", help: "It, and those below it" },
  },
  examples: [
    ["serialcast resource rm /temp", "One of them"],
    ["serialcast resource rm -r /rooms", "/rooms, where there is one, and all below it"],
  ],
  async run({ values, operands: [given] }, context) {
    const uri = parseUri(given)
    const isRecursive = values.recursive === true
    const topics = isRecursive ? topicsBelow(uri) : topicOf(uri)
    await using kept = await listenToResources(values, topics, context)
    await kept.settled(() => !isRecursive && kept.words.has(uri))
    const uris = standing(kept)
    if (uris.length === 0) throw unknownResource(uri)
    await removeAll(kept, uris)
    const [back] = standing(kept).filter((one) => uris.includes(one))
    if (back === undefined) return exitCodes.done
    throw new AppError("resource_exists", `${shown(back)} was made again meanwhile.`)
  },
})

async function removeAll(kept: KeptWords, uris: readonly string[]): Promise<void> {
  const ofServers = new Set(uris.filter((uri) => isNumbered(kept.words.get(uri)?.text ?? "")))
  for (const uri of uris) await kept.publish(uri, "")
  await kept.settled()
  // A server that removed it says so too. One that did not took it for the echo of an earlier removal, and would undo it.
  const unsure = uris.filter((uri) => ofServers.has(uri) && kept.removals(uri) < 2)
  for (const uri of unsure) {
    await kept.commandRemoval(uri)
    await kept.publish(uri, "")
  }
  if (unsure.length > 0) await kept.settled()
}

function standing({ words }: KeptWords): string[] {
  return [...words].filter(([, { text }]) => text !== "").map(([uri]) => uri)
}
