#!/usr/bin/env node
import { isatty } from "node:tty"
import { systemClock } from "@serialcast/primitives"
import { failureText, stopSignal } from "@serialcast/service-kit"
import { exitCodes } from "./command/exit-code.ts"
import { UsageError } from "./command/usage-error.ts"
import { runCommandLine, usageOf } from "./command-line.ts"
import { escapeControls } from "./terminal/escape-controls.ts"
import { createOutput, isReaderGone } from "./terminal/output.ts"

const args = process.argv.slice(2)
const stopping = new AbortController()
void stopSignal({ clock: systemClock, insist: () => process.exit(exitCodes.failed) }).then(() =>
  stopping.abort(),
)
const { signal } = stopping
const stdout = createOutput(process.stdout, signal)
const stderr = createOutput(process.stderr, signal)
// The clock's timers do not keep a process alive, and a wait for a broker that is away has nothing else.
setInterval(() => {}, 60_000)

try {
  process.exit(
    await runCommandLine(args, {
      env: process.env,
      get stdin() {
        return process.stdin
      },
      stdout,
      stderr,
      clock: systemClock,
      signal,
      onHangUp: (listener) =>
        process.on("SIGHUP", () => listener(process.stdout.isTTY && !isatty(process.stdout.fd))),
    }),
  )
} catch (error) {
  // Whoever read our output has enough of it.
  if (isReaderGone(error)) process.exit(exitCodes.done)
  // What a device or a board said may be in it.
  await stderr.write(escapeControls(failureText(args[0] ?? "help", error)))
  if (error instanceof UsageError) await stderr.write(usageOf(args))
  process.exit(error instanceof UsageError ? exitCodes.usage : exitCodes.failed)
}
