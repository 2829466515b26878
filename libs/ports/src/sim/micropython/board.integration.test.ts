import { createHash } from "node:crypto"
import { describe, expect, test } from "vitest"
import { Flash } from "./flash.ts"
import {
  createBoards,
  enterRawPaste,
  keyboardInterrupt,
  prompt,
  rawBanner,
  runRaw,
  talk,
} from "./testing/boards.ts"
import { TestBoard } from "./testing/test-board.ts"

const { startBoard, startRaw } = createBoards()

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

  test("renames absolute and relative names, below the root too", async () => {
    const board = await startRaw()
    await runRaw(board, "import os\nos.mkdir('r')\nopen('r/a', 'w').close()")
    const moves = [
      ["/r/a", "/r/b"],
      ["r/b", "/r/c"],
      ["/r/c", "r/d"],
      ["r/d", "r/e"],
    ]
    const renames = moves.map(([from, to]) => `os.rename('${from}', '${to}')`).join("\n")
    expect(await runRaw(board, `${renames}\nprint(os.listdir('/r'), os.getcwd())`)).toBe(
      "OK['e'] /\r\n\x04\x04>",
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

test("mpremote's ways to get control, and to put, check and get a file, work", async () => {
  const board = await startBoard()
  // A Ctrl-C that comes before the program is under way is, as on every board, a byte for the program to read.
  await board.write("n = 1\rwhile True: n = n and print('go')\r\r")
  await board.readUntil("go\r\n")
  await board.write("\r\x03")
  await board.readUntil(prompt)
  await board.write("\r\x01")
  await board.readUntil(rawBanner)
  await board.write("\x04")
  expect(await board.readUntil(rawBanner)).toBe(`OK\r\nMPY: soft reboot\r\n${rawBanner}`)
  const run = async (source: string) => {
    await enterRawPaste(board)
    await board.write(`${source}\x04`)
    const [, output = "", error = ""] = (await board.readUntil("\x04>")).split("\x04")
    return { output, error }
  }
  expect(await run("import os\nprint(os.stat('/data.bin'))")).toMatchObject({
    error: expect.stringContaining("OSError: [Errno 2] ENOENT"),
  })
  await run("f=open('/data.bin','wb')\nw=f.write")
  const all = Array.from({ length: 256 }, (_, at) => `\\x${at.toString(16).padStart(2, "0")}`).join("")
  for (let count = 0; count < 4; count++)
    for (const half of [all.slice(0, 512), all.slice(512)]) {
      await enterRawPaste(board)
      // More than two windows, so in parts.
      await board.write(`w(b'${half.slice(0, 250)}`)
      await board.readUntil("\x01")
      await board.write(half.slice(250, 350))
      await board.readUntil("\x01")
      await board.write(half.slice(350))
      await board.write("')\x04")
      expect(await board.readUntil("\x04>")).toMatch(/>$/)
    }
  await run("f.close()")
  const hashing =
    "import hashlib,binascii\nh=hashlib.sha256()\nb=memoryview(bytearray(256))\nf=open('/data.bin','rb')\nn=1"
  await enterRawPaste(board)
  await board.write(hashing)
  await board.write("\nwhile n:\n n=f.readinto(b)\n h.update(b[:n])\n")
  await board.write("d=h.digest()\x04")
  await board.readUntil("\x04>")
  const bytes = Uint8Array.from({ length: 1_024 }, (_, at) => at)
  const digest = createHash("sha256").update(bytes).digest("hex")
  expect(await run("print(binascii.hexlify(d))")).toEqual({ output: `b'${digest}'\r\n`, error: "" })
  expect(await run("f.seek(0)\nprint(len(f.read()), f.read(1))")).toEqual({
    output: "1024 b''\r\n",
    error: "",
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
    const end = await board.readUntil("\x04>")
    expect(end).toContain(keyboardInterrupt)
    // Behind the output, before the traceback.
    expect(end).toContain("\x04Traceback")
  })

  test("leaves nothing out of what is printed after it", async () => {
    const board = await startRaw()
    for (let count = 0; count < 20; count++) {
      await board.write("print('go')\nwhile True: pass\x04")
      await board.readUntil("go\r\n")
      await board.write("\x03")
      expect(await board.readUntil("\x04>")).toBe(
        `\x04Traceback (most recent call last):\r\n  File "<stdin>", line 2, in <module>\r\n${keyboardInterrupt}\x04>`,
      )
    }
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
