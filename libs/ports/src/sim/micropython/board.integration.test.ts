import { describe, expect, onTestFinished, test } from "vitest"
import { Flash } from "./flash.ts"
import { TestBoard, type TestBoardOptions } from "./testing/test-board.ts"

const prompt = ">>> "
const rawBanner = "raw REPL; CTRL-B to exit\r\n>"
const keyboardInterrupt = "KeyboardInterrupt: \r\n"

/** A board at its friendly prompt. */
async function startBoard(options?: TestBoardOptions): Promise<TestBoard> {
  const board = await TestBoard.start(options)
  onTestFinished(() => board.close())
  await board.readUntil(prompt)
  return board
}

/** A board in raw mode. */
async function startRaw(options?: TestBoardOptions): Promise<TestBoard> {
  const board = await startBoard(options)
  await board.write("\x01")
  await board.readUntil(rawBanner)
  return board
}

/** What the raw REPL answers to a program. */
async function runRaw(board: TestBoard, source: string): Promise<string> {
  await board.write(`${source}\x04`)
  return await board.readUntil("\x04>")
}

/** Sends what is given one after the other, and waits for what follows it: traces of a board's REPL. */
async function talk(board: TestBoard, ...trace: readonly (readonly [keys: string, answer: string])[]) {
  for (const [keys, answer] of trace) {
    await board.write(keys)
    expect(await board.readUntil(answer)).toBe(answer)
  }
}

/** Enters raw-paste, and answers the window. */
async function enterRawPaste(board: TestBoard): Promise<number> {
  await board.write("\x05A\x01")
  const [r, yes, low = 0, high = 0] = Buffer.from(await board.readUntil("\x01"), "latin1")
  expect([r, yes]).toEqual([0x52, 1])
  return low + 256 * high
}

describe("the friendly REPL", () => {
  test("answers keys byte by byte as a board does", async () => {
    const board = await startBoard()
    await talk(
      board,
      ["\r", `\r\n${prompt}`],
      ["1+x\x7f1\r", `1+x\b\x1b[K1\r\n2\r\n${prompt}`],
      ["for i in range(2):\r", "for i in range(2):\r\n...     "],
      ["print(i)\r", "print(i)\r\n...     "],
      ["\x7f\r", `\b\b\b\b\x1b[K\r\n0\r\n1\r\n${prompt}`],
      ["half a line\x03", `half a line\r\n${prompt}`],
      ["\x05", "\r\npaste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== "],
      ["print(7)\r", "print(7)\r\n=== "],
      ["\x04", `\r\n7\r\n${prompt}`],
    )
  })

  test("Ctrl-A is a key in the middle of a line, and raw mode at the start of one", async () => {
    const board = await startBoard()
    await board.write("ab\x01c\r")
    expect(await board.readUntil(prompt)).not.toContain("raw REPL")
    await talk(board, ["\x01", `\r\n${rawBanner}`], ["\x01", rawBanner])
    await board.write("\x02")
    expect(await board.readUntil(prompt)).toMatch(
      /^\r\nMicroPython v1\.27\.0 on \S+; .*\r\nType "help\(\)" .*\r\n>>> $/,
    )
  })
})

test("a paste that is larger than the ring is taken whole, as the REPL reads", async () => {
  const board = await startBoard()
  const line = `print(len('${"x".repeat(2_000)}'))`
  await board.write(`${line}\r`)
  expect(await board.readUntil(prompt)).toBe(`${line}\r\n2000\r\n${prompt}`)
  expect(board.dropped).toBe(0)
})

describe("the raw REPL", () => {
  test("answers a program by its output and its error, each with its end", async () => {
    const board = await startRaw()
    await talk(
      board,
      ["print(3)\x04", "OK3\r\n\x04\x04>"],
      ["forgotten\x03print(4)\x04", "OK4\r\n\x04\x04>"],
      [
        "1/0\x04",
        'OK\x04Traceback (most recent call last):\r\n  File "<stdin>", line 1, in <module>\r\nZeroDivisionError: divide by zero\r\n\x04>',
      ],
      ["\x05B\x01", "R\x00>"],
    )
  })

  test("raw-paste takes 10 kB within its windows of 128 bytes", async () => {
    const board = await startRaw()
    expect(await enterRawPaste(board)).toBe(128)
    const source = `text = '${"abcdefgh".repeat(1_250)}'\nprint(len(text), '\x02')`
    let windows = 2
    for (let at = 0; at < source.length; at += 128) {
      for (; windows === 0; windows += (await board.read()).byteLength);
      windows--
      await board.write(source.slice(at, at + 128))
    }
    await board.write("\x04")
    expect((await board.readUntil("\x04>")).replace(/^[^0-9]*/, "")).toBe("10000 \x02\r\n\x04\x04>")
    expect(board.dropped).toBe(0)
  })

  test("a ring of 64 bytes has windows of 32", async () => {
    expect(await enterRawPaste(await startRaw({ ringBytes: 64 }))).toBe(32)
  })

  test("Ctrl-C in raw-paste leaves it with a KeyboardInterrupt", async () => {
    const board = await startRaw()
    await enterRawPaste(board)
    await talk(board, ["print(", ""], ["\x03", `\x04\x04${keyboardInterrupt}\x04>`])
    expect(await runRaw(board, "print(5)")).toBe("OK5\r\n\x04\x04>")
  })

  test.each([
    ["/d/a", "/d/b"],
    ["d/a", "/d/b"],
    ["/d/a", "d/b"],
  ])("renames %s to %s, below the root too", async (from, to) => {
    const board = await startRaw()
    await runRaw(board, "import os\nos.mkdir('d')\nopen('d/a', 'w').close()")
    expect(await runRaw(board, `os.rename('${from}', '${to}')\nprint(os.listdir('/d'), os.getcwd())`)).toBe(
      "OK['b'] /\r\n\x04\x04>",
    )
  })

  test("errors of files have the numbers of boards", async () => {
    const board = await startRaw()
    expect(await runRaw(board, "open('nope')")).toContain("OSError: [Errno 2] ENOENT\r\n")
    expect(await runRaw(board, "import os\nos.mkdir('d')\nos.mkdir('d')")).toContain(
      "OSError: [Errno 17] EEXIST\r\n",
    )
  })
})

describe("Ctrl-C", () => {
  test.each([
    ["that prints", "while True: print(1)", "1\r\n1\r\n"],
    ["that computes", "print('go')\nwhile True: pass", "go\r\n"],
    ["that sleeps", "import time\nprint('go')\ntime.sleep(1000)", "go\r\n"],
    ["that waits for input", "input('name? ')", "name? "],
    [
      "that polls",
      "import sys, select\npoll = select.poll()\npoll.register(sys.stdin, 1)\nprint('go')\nprint(poll.poll())",
      "go\r\n",
    ],
  ])("ends a program %s", async (_what, program, output) => {
    const board = await startRaw()
    await board.write(`${program}\x04`)
    let answer = ""
    while (!answer.includes(output)) answer += Buffer.from(await board.read()).toString("latin1")
    await board.write("\x03")
    expect(await board.readUntil("\x04>")).toContain(keyboardInterrupt)
  })

  test("is caught by a program that catches it, and ends it the next time", async () => {
    const board = await startRaw()
    await board.write(
      "try:\n  print('go')\n  while True: pass\nexcept KeyboardInterrupt: print('once')\nwhile True: pass\x04",
    )
    await board.readUntil("go\r\n")
    await board.write("\x03")
    await board.readUntil("once\r\n")
    await board.write("\x03")
    expect(await board.readUntil("\x04>")).toContain(keyboardInterrupt)
  })

  test("is a byte like others for a program that says so", async () => {
    const board = await startRaw()
    const program =
      "import micropython, sys\nmicropython.kbd_intr(-1)\nprint('go')\ndata = sys.stdin.buffer.read(256)\nprint('more')\ndata += sys.stdin.buffer.read(256)\nmicropython.kbd_intr(3)\nprint(data == bytes(range(256)) * 2)"
    await board.write(`${program}\x04`)
    await board.readUntil("go\r\n")
    const all = Uint8Array.from({ length: 256 }, (_, at) => at)
    await board.write(all)
    await board.readUntil("more\r\n")
    await board.write(all)
    expect(await board.readUntil("\x04>")).toBe("True\r\n\x04\x04>")
  })
})

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
    const board = await startRaw()
    await board.write("import time, machine\nprint('go')\ntime.sleep(1000)\x04")
    await board.readUntil("go\r\n")
    await board.write("x".repeat(1_000))
    await board.write("\x03")
    await board.readUntil("\x04>")
    expect(board.dropped).toBe(740)
    expect(await runRaw(board, "\x03print(machine.rx_dropped())")).toBe("OK740\r\n\x04\x04>")
  })

  test("that streams a megabyte within its ring gets every byte", async () => {
    const board = await startRaw()
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
    const { createHash } = await import("node:crypto")
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
    const board = await startRaw()
    expect(await runRaw(board, "kept = []\nwhile True: kept.append(bytearray(100000))")).toContain(
      "MemoryError: ",
    )
    expect(await runRaw(board, "del kept\nprint(6)")).toBe("OK6\r\n\x04\x04>")
    const filling = "with open('big', 'wb') as file:\n  while True: file.write(bytes(65536))"
    expect(await runRaw(board, filling)).toContain("OSError: 28")
  })
})

test("a main.py that never ends is ended by Ctrl-C, and the REPL follows", async () => {
  const flash = new Flash()
  const source = new TextEncoder().encode("print('main')\nwhile True: pass")
  flash.apply({ kind: "put", path: "/main.py", bytes: source })
  await using board = await TestBoard.start({ flash })
  await board.readUntil("main\r\n")
  await board.write("\x03")
  expect(await board.readUntil(prompt)).toMatch(
    /^Traceback .*\r\n {2}File "main.py", line 2, in <module>\r\nKeyboardInterrupt: \r\nMicroPython /,
  )
  await board.write("1\r")
  expect(await board.readUntil(prompt)).toBe(`1\r\n1\r\n${prompt}`)
})

describe("a reset", () => {
  const files = new Map([
    ["/boot.py", "print('boot')"],
    ["/main.py", "print('main')\n1/0"],
  ])
  const mainError =
    'Traceback (most recent call last):\r\n  File "main.py", line 2, in <module>\r\nZeroDivisionError: divide by zero\r\n'

  function flashOf(entries: ReadonlyMap<string, string>): Flash {
    const flash = new Flash()
    for (const [path, text] of entries)
      flash.apply({ kind: "put", path, bytes: new TextEncoder().encode(text) })
    return flash
  }

  test("by Ctrl-D runs boot.py and main.py, and forgets variables", async () => {
    const board = await startBoard({ flash: flashOf(files) })
    await board.write("a = 1\r")
    await board.readUntil(prompt)
    await board.write("\x04")
    expect(await board.readUntil(prompt)).toMatch(
      new RegExp(
        `^\r\nMPY: soft reboot\r\nboot\r\nmain\r\n${mainError.replaceAll(/[()]/g, "\\$&")}MicroPython `,
      ),
    )
    await board.write("a\r")
    expect(await board.readUntil(prompt)).toContain("NameError: name 'a' isn't defined")
  })

  test("from raw mode leaves main.py out, and stays in raw mode", async () => {
    const board = await startRaw({ flash: flashOf(files) })
    await talk(
      board,
      ["\x04", `OK\r\nMPY: soft reboot\r\nboot\r\n${rawBanner}`],
      ["print(1)\x04", "OK1\r\n\x04\x04>"],
    )
    await talk(board, ["raise SystemExit\x04", `OK\x04\x04MPY: soft reboot\r\nboot\r\n${rawBanner}`])
  })

  test("keeps the files; another board with the same flash has them", async () => {
    const flash = new Flash()
    const board = await startRaw({ flash })
    const program = `import os
os.mkdir('lib')
with open('lib/a.txt', 'w') as file: file.write('one')
os.rename('lib/a.txt', 'b.txt')
with open('c', 'wb') as file: file.write(bytes(range(256)))
with open('gone', 'w') as file: pass
os.remove('gone')
os.mkdir('e')
os.rename('lib', 'f')
os.rmdir('e')
unclosed = open('unclosed', 'w')
unclosed.write('x')`
    expect(await runRaw(board, program)).toBe("OK\x04\x04>")
    const look =
      "import os\nprint(sorted(os.listdir()), open('b.txt').read(), os.stat('c')[6], os.listdir('f'))"
    await board.write("\x04")
    await board.readUntil(rawBanner)
    expect(await runRaw(board, look)).toBe("OK['b.txt', 'c', 'f'] one 256 []\r\n\x04\x04>")
    await board.close()
    const other = await startRaw({ flash })
    expect(await runRaw(other, look)).toBe("OK['b.txt', 'c', 'f'] one 256 []\r\n\x04\x04>")
  })

  test("a hundred of them cost no memory that stays", async () => {
    const board = await startRaw()
    for (let count = 0; count < 100; count++) {
      await board.write("\x04")
      await board.readUntil(rawBanner)
    }
    expect(await runRaw(board, "print(1)")).toBe("OK1\r\n\x04\x04>")
    const { readFile } = await import("node:fs/promises")
    const [, residentKib = ""] =
      /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${board.pid}/status`, "utf8")) ?? []
    expect(Number(residentKib)).toBeLessThan(300_000)
  })
})
