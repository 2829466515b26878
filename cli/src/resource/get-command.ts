import { defineCommand } from "../command/command.ts"
import { exitCodes } from "../command/exit-code.ts"
import { connectionOptions } from "../gateway/connect.ts"
import { escapeControls } from "../terminal/escape-controls.ts"
import { listenToResources } from "./kept-words.ts"
import { readWord } from "./read-word.ts"
import { parseUri, topicOf } from "./resource-uri.ts"

export const resourceGetCommand = defineCommand({
  name: "resource get",
  summary: "Print the value of a resource, the exact bytes",
  operands: "<uri>",
  maxOperands: 1,
  about: [
    "On a terminal, control characters are shown as \\x1B, since it would obey them; into pipes and files go the bytes.",
  ],
  options: connectionOptions,
  examples: [
    ["serialcast resource get /temp", "What it is now"],
    ["serialcast resource get /photo > photo.jpg", "Into a file"],
  ],
  async run({ values, operands: [given] }, context) {
    const uri = parseUri(given)
    const { stdout } = context
    await using kept = await listenToResources(values, topicOf(uri), context)
    await kept.settled(() => kept.words.has(uri))
    const { value } = readWord(uri, kept.words.get(uri))
    await stdout.write(stdout.isTerminal ? `${escapeControls(new TextDecoder().decode(value))}\n` : value)
    return exitCodes.done
  },
})
