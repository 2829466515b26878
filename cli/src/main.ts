#!/usr/bin/env node
import { AppError } from "@serialcast/contract"
import { failureText } from "@serialcast/service-kit"
import { helpText, parseCommand } from "./command-line.ts"
import { runUp } from "./up/run-up.ts"

try {
  const command = parseCommand(process.argv.slice(2))
  switch (command.name) {
    case "help":
    case "version":
      process.stdout.write(`${command.text}\n`)
      process.exit(0)
      break
    case "up":
      process.exit(await runUp(command))
  }
} catch (error) {
  process.stderr.write(failureText("up", error))
  if (error instanceof AppError && error.code === "bad_request") process.stderr.write(helpText)
  process.exit(1)
}
