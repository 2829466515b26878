import { spawn } from "node:child_process"
import { once } from "node:events"
import { symlink } from "node:fs/promises"
import { join } from "node:path"
import { createTemporaryFolder, openPty } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { findHolders } from "./find-holders.ts"

/** Another process, once it has said something. */
async function start(command: string, args: readonly string[]) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] })
  onTestFinished(() => void child.kill("SIGKILL"))
  const [said] = await once(child.stdout, "data")
  return { child, pid: child.pid!, said: String(said).trim() }
}

test("a program that has a port open is found by name, by any path of the port; this process is not", async () => {
  // Before the terminals, whose other ends it would inherit.
  const { child, pid } = await start("sh", ["-c", "echo; read path; exec 7<>$path; echo; read line"])
  await using pty = await openPty()
  await using other = await openPty()
  using folder = createTemporaryFolder()
  const link = join(folder.path, "port")
  await symlink(pty.terminal, link)
  child.stdin.write(`${pty.terminal}\n`)
  await once(child.stdout, "data")
  const holders = await findHolders([pty.path, link, other.path, "/dev/no-such-port"])
  const sh = [{ pid, name: "sh" }]
  expect(holders).toEqual(
    new Map([
      [pty.path, sh],
      [link, sh],
      [other.path, []],
      ["/dev/no-such-port", []],
    ]),
  )
})

test("the program at the other end of a pseudo-terminal is the device, also when it has both ends open", async () => {
  const program = `
import os, sys
device, port = os.openpty()
print(os.ttyname(port), flush=True)
sys.stdin.read()`
  const { said: path } = await start("python3", ["-c", program])
  expect(await findHolders([path])).toEqual(new Map([[path, []]]))
})
