import { execFile } from "node:child_process"
import { chmod } from "node:fs/promises"
import { promisify } from "node:util"
import { openPty } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { defaultSettings } from "../default-settings.ts"
import { PortRecord } from "../testing/port-record.ts"
import { createTtyDriver } from "./tty-driver.ts"

const isRoot = process.getuid?.() === 0

/** What a program of another user that asks for no lock gets: `opened`, or the system's code. */
async function openAsNobody(path: string): Promise<string> {
  const program = `
    process.setgroups([]); process.setgid(65534); process.setuid(65534)
    try { require("node:fs").openSync("${path}", "r+"); console.log("opened") } catch ({ code }) { console.log(code) }
  `
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", program])
  return stdout.trim()
}

test.runIf(isRoot)(
  "while a port is open, no other user's program can open it, also one that knows of no lock; afterwards it can",
  async () => {
    await using pty = await openPty()
    await chmod(pty.terminal, 0o666)
    const driver = createTtyDriver(pty.path)
    for (let round = 0; round < 2; round++) {
      const port = await driver.open(defaultSettings, new PortRecord())
      expect(await openAsNobody(pty.terminal)).toBe("EBUSY")
      await port.configure({ ...defaultSettings, baudRate: 9_600 })
      expect(await openAsNobody(pty.terminal)).toBe("EBUSY")
      await port.close()
      expect(await openAsNobody(pty.terminal)).toBe("opened")
    }
  },
)
