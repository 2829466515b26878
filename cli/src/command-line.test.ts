import { describe, expect, test } from "vitest"
import { exitCodes } from "./command/exit-code.ts"
import { UsageError } from "./command/usage-error.ts"
import { runCommandLine, usageOf } from "./command-line.ts"
import { createTestContext } from "./testing/test-context.ts"

const boardCommands = ["repl", "ls", "get", "put", "rm", "mkdir", "run", "reset"]
const resourceCommands = ["resource ls", "resource get", "resource set", "resource rm"]
const commands = ["up", "bridge", "devices", "attach", "tail", "write", "history", ...boardCommands]
/** More than any of them takes. */
const tooMany = Array.from({ length: 1_001 }, (_, at) => String(at))

describe.each([...commands, ...resourceCommands])("%s --help", (name) => {
  const words = name.split(" ")

  test("tells how it is used, each of its options, and examples", async () => {
    const { context, stdout } = createTestContext()
    expect(await runCommandLine([...words, "--help"], context)).toBe(exitCodes.done)
    expect(stdout.text).toMatch(`Usage: serialcast ${name} [options]`)
    expect(stdout.text).toMatch(/^ {2}-h, --help {2}/m)
    expect(stdout.text).toMatch(new RegExp(`^Examples\n.*serialcast ${name}`, "m"))
    expect(Math.max(...stdout.text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(130)
  })

  test("is the same as help and its name", async () => {
    const [one, other] = [createTestContext(), createTestContext()]
    await runCommandLine([...words, "-h"], one.context)
    await runCommandLine(["help", ...words], other.context)
    expect(one.stdout.text).toBe(other.stdout.text)
  })

  test("refuses an option that it does not have, and an argument too many", async () => {
    const { context } = createTestContext()
    await expect(runCommandLine([...words, "--fly"], context)).rejects.toThrow(UsageError)
    await expect(runCommandLine([...words, ...tooMany], context)).rejects.toThrow("One argument too many")
    expect(usageOf(words)).toContain(`Usage: serialcast ${name}`)
  })
})

test("resource lists what may stand behind it", async () => {
  const { context, stdout } = createTestContext()
  expect(await runCommandLine(["help", "resource"], context)).toBe(exitCodes.done)
  for (const name of resourceCommands) expect(stdout.text).toMatch(new RegExp(`^ {2}${name} +[A-Z]`, "m"))
  const alike = createTestContext()
  await runCommandLine(["resource", "--help"], alike.context)
  expect(alike.stdout.text).toBe(stdout.text)
  expect(usageOf(["resource"])).toContain("Usage: serialcast resource <ls|get|set|rm> [options]")
})

test("without arguments every command is listed", async () => {
  const { context, stdout } = createTestContext()
  expect(await runCommandLine([], context)).toBe(exitCodes.done)
  for (const name of [...commands, "resource"])
    expect(stdout.text).toMatch(new RegExp(`^ {2}${name} +[A-Z]`, "m"))
})

test.each([
  ["tial", "tail"],
  ["atach", "attach"],
  ["hist", "history"],
  ["wrote", "write"],
])("%s is a slip of %s", async (slip, meant) => {
  const { context } = createTestContext()
  await expect(runCommandLine([slip], context)).rejects.toThrow(`; did you mean ${meant}?`)
})

test.each([
  [["tail", "--format", "xml"], "--format: expected raw, text, hex, lines, json"],
  [["tail", "--from", "yesterday"], "--from: A start point is"],
  [["tail", "--stream", "up"], "--stream: expected rx or tx"],
  [["tail", "--count", "0"], "--count: expected a number of bytes"],
  [["tail", "--raw", "--timestamps"], "--timestamps: raw bytes"],
  [["tail", "--raw", "--format", "hex"], "exclude each other"],
  [["write", "uno"], "Expected one of TEXT, --hex and --file to write; found none"],
  [["write", "uno", "a", "--hex", "41"], "found 2"],
  [["write", "uno", "a", "--eol", "dos"], "--eol: expected none, lf, cr, crlf"],
  [["write", "uno", "a", "--eol", "constructor"], "--eol: expected none, lf, cr, crlf"],
  [["write", "uno", "a", "--ttl", "soon"], "--ttl: expected seconds, up to 86400"],
  [["attach", "--escape", "]"], "--escape: expected a key like ^]"],
  [["attach", "--exclusive", "--readonly"], "exclude each other"],
  [["attach"], "attach and repl need a terminal"],
  [["repl", "board"], "attach and repl need a terminal"],
  [["get", "board"], "Expected a device and paths to copy from it"],
  [["get", "board", "a", "--to", "-", "--json"], "--json and --to - exclude each other"],
  [["put", "board"], "Expected a device and files to copy to it"],
  [["put", "board", "-"], "-: name the file with --to"],
  [["put", "board", "-", "--to", "lib/"], "-: name the file with --to"],
  [["put", "board", "/"], "/ is a folder: copy it with --recursive"],
  [["rm", "board"], "Expected a device and paths to remove from it"],
  [["mkdir", "board"], "Expected a device and folders to make on it"],
  [["run", "board"], "Expected a device, and a file or --code"],
  [["run", "board", "a.py", "--code", "1"], "Expected a device, and a file or --code"],
  [["run", "board", "--code", "1", "--timeout", "0"], "--timeout: expected seconds, up to 86400"],
  [["reset"], "Expected a device"],
  [["resource"], "Expected one of ls, get, set, rm behind resource"],
  [["resource", "gte"], 'There is no command "resource gte"; did you mean get?'],
  [["resource", "--fly"], "There is no option --fly"],
  [["resource", "get"], "Expected the uri of a resource"],
  [["resource", "rm", "/a/"], '"/a/" is no uri of a resource. Leave empty segments out'],
  [["resource", "set", "/a"], "Expected a value or --file; found none"],
  [["resource", "set", "/a", "1", "--file", "-"], "Expected a value or --file; found both"],
  [
    ["resource", "set", "/a", "1", "--methods", "GET,HEAD"],
    "--methods: expected some of GET,PUT,POST,DELETE",
  ],
  [["resource", "set", "/a", "1", "--type", "text"], "--type: Expected a media type, like text/plain"],
  [["up", "--discover", "all"], "--discover: expected off, show, open"],
])("%j is refused before anything is done", async (args, message) => {
  const { context } = createTestContext()
  const refused = runCommandLine(args, context)
  await expect(refused).rejects.toThrow(UsageError)
  await expect(refused).rejects.toThrow(message)
})
