import { createHash } from "node:crypto"
import { describe, expect, test } from "vitest"
import { createBoards, prompt, rawBanner, runRaw, talk } from "./testing/boards.ts"

const { startBoard, startRaw } = createBoards()

describe("a program", () => {
  test("reads keys with input(), which echoes and can be corrected", async () => {
    const board = await startBoard()
    await talk(
      board,
      ["input('name? ')\r", "input('name? ')\r\nname? "],
      ["bobx\x7f\r", `bobx\b \b\r\n'bob'\r\n${prompt}`],
    )
  })

  test("has bare bytes at the buffers of its streams, and line ends of text changed", async () => {
    const board = await startRaw()
    expect(
      await runRaw(board, "import sys\nsys.stdout.buffer.write(b'a\\n\\x00\\xff')\nsys.stdout.write('b\\n')"),
    ).toBe("OKa\n\x00\xffb\r\n\x04\x04>")
    await board.write("import sys\nprint(sys.stdin.readline())\x04")
    await board.write("text\r")
    expect(await board.readUntil("\x04>")).toBe("OKtext\n\r\n\x04\x04>".replace("\n\r", "\r\n\r"))
  })

  test("that does not read loses what its ring has no room for: of 1,000 bytes 740, which are counted", async () => {
    const board = await startRaw({})
    await board.write("import time, machine\nprint('go')\ntime.sleep(1000)\x04")
    await board.readUntil("go\r\n")
    await board.write("x".repeat(1_000))
    await board.write("\x03")
    await board.readUntil("\x04>")
    expect(board.dropped).toBe(740)
    expect(await runRaw(board, "\x03print(machine.rx_dropped())")).toBe("OK740\r\n\x04\x04>")
  })

  test("that streams 256 KiB within its ring gets every byte", async () => {
    const board = await startRaw({})
    const program = `import sys, hashlib, binascii
hash = hashlib.sha256()
buffer = bytearray(128)
for _ in range(2048):
    sys.stdin.buffer.readinto(buffer)
    hash.update(buffer)
    sys.stdout.buffer.write(b'+')
print(binascii.hexlify(hash.digest()))`
    await board.write(`${program}\x04`)
    await board.readUntil("OK")
    for (let at = 0; at < 2_048; at++) {
      await board.write(new Uint8Array(128).fill(97 + (at % 16)))
      await board.readUntil("+")
    }
    const hash = createHash("sha256")
    for (let at = 0; at < 2_048; at++) hash.update(new Uint8Array(128).fill(97 + (at % 16)))
    expect(await board.readUntil("\x04>")).toBe(`b'${hash.digest("hex")}'\r\n\x04\x04>`)
    expect(board.dropped).toBe(0)
  })

  test("reaches nothing of the machine that runs it", async () => {
    const board = await startRaw()
    for (const source of [
      "import js\njs.process",
      "import jsffi\njsffi.to_js([1]).constructor",
      "import jsffi\njsffi.create_proxy(lambda: 1).constructor",
      "import js\njs.setTimeout(print, 0)",
      "import js\njs.eval('1')",
      "open('/etc/passwd')",
      "open('../etc/passwd')",
    ])
      expect(await runRaw(board, source)).toMatch(/Error: /)
    expect(await runRaw(board, "print('still here')")).toBe("OKstill here\r\n\x04\x04>")
  })

  test("that wants more than there is gets a MemoryError, the next one has it, and of the flash an OSError", async () => {
    const board = await startRaw({})
    expect(await runRaw(board, "kept = []\nwhile True: kept.append(bytearray(100000))")).toContain(
      "MemoryError: ",
    )
    expect(await runRaw(board, "del kept\nprint(6)")).toBe("OK6\r\n\x04\x04>")
    const filling = "with open('big', 'wb') as file:\n  while True: file.write(bytes(65536))"
    expect(await runRaw(board, filling)).toContain("OSError: 28")
    // A reset with a flash that is full.
    await board.write("\x04")
    await board.readUntil(rawBanner)
    const crowding = "import os\nos.remove('big')\nos.chdir('/..')\nfor n in range(600): os.mkdir(str(n))"
    expect(await runRaw(board, crowding)).toContain("OSError: 28")
  })
})
