import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { encodeHex } from "@serialcast/primitives"
import { createTemporaryFolder, eventually, freePort, openPty } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { followEvents } from "./testing/event-source.ts"
import { spawnCli } from "./testing/spawn-cli.ts"

const restarts = 6

test.each(["/api/v1/devices/local/board/stream?from=start", "/readbytes"])(
  "an event stream %s outlives restarts by SIGTERM and kill -9 with every byte, and meets no other answer",
  { timeout: 120_000 },
  async (path) => {
    using folder = createTemporaryFolder()
    await using pty = await openPty()
    const file = join(folder.path, "serialcast.yaml")
    writeFileSync(file, `devices:\n  board: { port: ${pty.path} }\n`)
    const port = await freePort()
    const start = () =>
      spawnCli(["up", "--config", file], {
        SERIALCAST_HTTP_LISTEN: `127.0.0.1:${port}`,
        SERIALCAST_JOURNAL_DIR: folder.path,
      })
    using source = followEvents(`http://127.0.0.1:${port}${path}`)
    let sent = ""
    for (let round = 0; round <= restarts; round++) {
      const opens = source.opens
      const cli = start()
      await eventually(() => expect(source.opens).toBeGreaterThan(opens))
      await cli.stdout.find(/● +local\/board/)
      const bytes = Uint8Array.from({ length: 2_000 }, (_, at) => round + at)
      sent += encodeHex(bytes)
      await pty.write(bytes)
      await eventually(() => expect(source.hex).toHaveLength(sent.length))
      cli.child.kill(round % 2 === 0 ? "SIGTERM" : "SIGKILL")
      await cli.exited
    }
    expect(source.hex).toBe(sent)
    expect(source.strange).toEqual([])
  },
)
