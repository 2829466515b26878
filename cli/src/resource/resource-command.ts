import { defineGroup } from "../command/command-group.ts"
import { resourceGetCommand } from "./get-command.ts"
import { resourceLsCommand } from "./ls-command.ts"
import { resourceRmCommand } from "./rm-command.ts"
import { resourceSetCommand } from "./set-command.ts"

export const resourceCommand = defineGroup({
  name: "resource",
  summary: "List, read, set and remove the resources that the broker keeps",
  about: [
    "They are what the resource server serves over HTTP; it need not run. A resource has an address like /temp.",
  ],
  commands: [resourceLsCommand, resourceGetCommand, resourceSetCommand, resourceRmCommand],
})
