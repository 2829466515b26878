import { createHash } from "node:crypto"
import { deviceAt } from "@serialcast/serial-agent"
import {
  eventually,
  getByWebrepl,
  putByWebrepl,
  type WebreplClientKind,
  WebreplFileError,
} from "@serialcast/testkit"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { spawnInTerminal } from "../testing/spawn-in-terminal.ts"
import { startTestAll, type TestAll } from "../testing/start-test-all.ts"
import { board } from "./testing/board.ts"
import { type BoardUser, logInAt } from "./testing/board-user.ts"

/** Nobody waits for a cable here. */
const baudRate = 4_000_000
const kinds: readonly WebreplClientKind[] = ["commandLine", "page"]
const prompt = />>> $/

let running: TestAll

beforeAll(async () => {
  const fast = (port: string) => ({ ...deviceAt(port), baudRate })
  running = await startTestAll(
    {},
    {
      devices: {
        board: fast("sim:micropython"),
        small: fast("sim:micropython?ring=64"),
        deaf: fast("sim:micropython"),
      },
      webrepl: [
        board({ device: "local/board", watchers: 1 }),
        board({ device: "local/small" }),
        board({ device: "local/deaf" }),
      ],
    },
  )
})

afterAll(() => running[Symbol.asyncDispose]())

/** At the prompt of a board that runs nothing. */
async function atPrompt(device: string, kind?: WebreplClientKind): Promise<BoardUser> {
  const user = await logInAt(running, device, kind === undefined ? {} : { kind })
  await user.type("\r\x03\x03", prompt)
  await user.type("\x02", prompt)
  return user
}

/** What code prints on the board, without the ends of lines at its ends. */
async function printed(device: string, code: string): Promise<string> {
  const url = `${running.httpUrl}/api/v1/devices/${device}/run`
  const ran = await fetch(url, { method: "POST", body: code })
  const { stdout, stderr } = (await ran.json()) as { stdout: string; stderr: string }
  expect({ status: ran.status, stderr }).toEqual({ status: 200, stderr: "" })
  return stdout.trim()
}

/** By the board's own words. */
const hashOnBoard = (device: string, name: string) =>
  printed(
    device,
    `import hashlib,binascii
print(binascii.hexlify(hashlib.sha256(open(${JSON.stringify(name)},'rb').read()).digest()).decode())`,
  )
const dropped = (device: string) => printed(device, "import machine\nprint(machine.rx_dropped())")
const anyBytes = (size: number) => Uint8Array.from({ length: size }, (_, at) => at + (at >> 8))
const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

describe.each(["local/board", "local/small"])("%s", (device) => {
  test.each(kinds)(
    "files of every length at which something may be miscounted come back as they went: %s",
    async (kind) => {
      const { client } = await atPrompt(device, kind)
      for (const size of [0, 1, 255, 256, 257, 1_024, 1_025, 100_000]) {
        const bytes = anyBytes(size)
        await putByWebrepl(client, `${size}.bin`, bytes)
        expect(await hashOnBoard(device, `${size}.bin`), `${size} bytes`).toBe(hash(bytes))
        expect(hash(await getByWebrepl(client, `${size}.bin`)), `${size} bytes`).toBe(hash(bytes))
      }
      expect(await dropped(device)).toBe("0")
    },
  )
})

test.each(kinds)("names may have spaces, quotes, backslashes and UTF-8: %s", async (kind) => {
  const { client } = await atPrompt("local/board", kind)
  for (const name of [`it's "größe" 1.bin`, "back\\slash.py", "日本.txt", "'''", "x".repeat(64)]) {
    const bytes = new TextEncoder().encode(name)
    await putByWebrepl(client, name, bytes)
    expect(await getByWebrepl(client, name)).toEqual(bytes)
    expect(await hashOnBoard("local/board", name)).toBe(hash(bytes))
  }
})

/** What the board's user did before, until what is seen says that it is done; and what its program is then told to have been. */
const before = {
  "computes in a loop": {
    keys: "while True: pass\r\r\r",
    until: /while True: pass\r\n(\.\.\. +\r\n)+$/,
    isProgram: true,
  },
  "prints in a loop": { keys: "while True: print('on')\r\r\r", until: /on\r\non\r\n/, isProgram: true },
  "sleeps in a loop": {
    keys: "import time; print('zzz')\rwhile True: time.sleep(1)\r\r\r",
    until: /sleep\(1\)\r\n(\.\.\. +\r\n)+$/,
    isProgram: true,
  },
  "catches one Ctrl-C": {
    keys: "exec(\"print('g'+'o')\\ntry:\\n while True: pass\\nexcept KeyboardInterrupt: pass\\nwhile True: pass\")\r",
    until: /go\r\n$/,
    isProgram: true,
  },
  "reads with input()": { keys: "input('your '+'name? ')\r", until: /\nyour name\? $/, isProgram: true },
  "has a line half typed": { keys: "print('half", until: /print\('half$/, isProgram: false },
  "is in a block half typed": {
    keys: "if True:\rprint(1)\r",
    until: /print\(1\)\r\n\.\.\. +$/,
    isProgram: false,
  },
  "is in paste mode": { keys: "\x05x = 1\r", until: /=== x = 1\r\n=== $/, isProgram: false },
  "was left in raw mode": { keys: "\x01", until: /raw REPL; CTRL-B to exit\r\n>$/, isProgram: false },
  "was left in raw mode with half a command": {
    keys: "\x01print(1",
    until: /raw REPL; CTRL-B to exit\r\n>$/,
    isProgram: false,
  },
  // An upload of somebody else, which is told as well.
  "was left in the middle of raw-paste": {
    keys: "\x01\x05A\x01print(",
    until: /R.{4}$/s,
    isProgram: true,
  },
} as const

const notice = /\[serialcast: the program that ran was interrupted; [^\]]+\]/

describe("whatever the board does, a file goes there and comes back, and a fresh prompt is shown", () => {
  test.each(Object.entries(before))("it %s", async (_what, { keys, until, isProgram }) => {
    for (const device of ["local/board", "local/small"]) {
      const user = await atPrompt(device)
      const bytes = anyBytes(700)
      for (const transfer of [
        () => putByWebrepl(user.client, "a.bin", bytes),
        async () => expect(await getByWebrepl(user.client, "a.bin")).toEqual(bytes),
      ]) {
        await user.type(keys, until)
        user.forget()
        await transfer()
        await user.sees(/, done\]\s+>>> $/)
        if (isProgram) expect(user.seen).toMatch(notice)
        else expect(user.seen).not.toMatch(notice)
        await user.type("print(6*7)\r", /^print\(6\*7\)\r\n42\r\n>>> $/)
      }
      user.client.socket.destroy()
    }
    expect(await dropped("local/board")).toBe("0")
    expect(await dropped("local/small")).toBe("0")
  })
})

test.each(kinds)(
  "a program that takes no Ctrl-C is left alone, and the client told in its time: %s",
  async (kind) => {
    const user = await logInAt(running, "local/deaf", { kind })
    if (kind === "commandLine") {
      // It is known to be a board then.
      await putByWebrepl(user.client, "a.py", anyBytes(10))
      await user.sees(/, done\]\s+>>> $/)
      await user.type(
        "exec(\"import micropython\\nmicropython.kbd_intr(-1)\\nprint('g'+'o')\\nwhile True: pass\")\r",
        /go\r\n$/,
      )
    }
    for (const transfer of [
      () => putByWebrepl(user.client, "a.py", anyBytes(10)),
      () => getByWebrepl(user.client, "a.py"),
    ]) {
      user.forget()
      await expect(transfer()).rejects.toThrow(WebreplFileError)
      await user.sees(/failed\. The board runs a program that Ctrl-C does not end/)
    }
  },
)

test.each(kinds)("whatever the board prints, the connection stays: %s", async (kind) => {
  const user = await atPrompt("local/board", kind)
  await user.type("import sys; w = sys.stdout.buffer.write\r", prompt)
  const lines = [
    // What is no character, and characters that come in pieces, with a pause in between or none.
    "w(bytes(range(128, 256)))",
    "for b in b'\\xe6\\x97\\xa5\\xc3\\xbc\\xf0\\x9f\\x98\\x80': _ = w(bytes([b]))\r\r",
    "import time; w(b'\\xf0\\x9f'); time.sleep(0.6); w(b'\\x98\\x80')",
    "for i in range(1024): _ = w(b'x' * 1024)\r\r",
    "for i in range(64): _ = w(b'\\xe2\\x82' * 1024)\r\r",
  ]
  for (const line of lines) {
    await user.type(`${line}\r`, /\n/)
    await user.type("\rprint('en'+'d')\r", /\r\nend\r\n>>> $/)
  }
  expect(user.client.hasEnded).toBe(false)
  expect(user.client.text.includes("日ü😀")).toBe(true)
  expect(user.client.text.includes("x".repeat(1_048_576))).toBe(true)
})

/** All that a page without a sub-protocol is shown of a board. */
async function watchClassic(device: string): Promise<{ readonly text: () => string }> {
  const socket = new WebSocket(`${running.consoleUrl.replace("http", "ws")}/ws?device=${device}`)
  onTestFinished(() => socket.close())
  let text = ""
  socket.on("message", (data) => (text += `${new TextDecoder().decode(data as ArrayBuffer)}\n`))
  await eventually(() => expect(text).toContain("connected"))
  return { text: () => text }
}

test("who looks at the board meanwhile sees what goes on, the prompt behind it, and nothing of the raw REPL", async () => {
  const user = await atPrompt("local/board")
  const watcher = await logInAt(running, "local/board", { kind: "page", watches: true })
  const page = await watchClassic("local/board")
  const terminal = await spawnInTerminal(["attach", "--broker", running.mqttUrl, "board"])
  await terminal.find(/attached to local\/board/)
  await putByWebrepl(user.client, "seen.bin", anyBytes(5_000))
  await getByWebrepl(user.client, "seen.bin")
  await user.type("print('en'+'d')\r", /\r\nend\r\n>>> $/)
  await watcher.sees(/get seen\.bin, done\]\s+>>> print\('en'\+'d'\)\r\nend\r\n>>> $/)
  await eventually(() => expect(page.text()).toMatch(/get seen\.bin, done\n>>> [\s\S]*\nend/))
  await terminal.find(/get seen\.bin, done\S*\s+>>> print\('en'\+'d'\)\s+end/)
  for (const seen of [user.client.text, watcher.seen, page.text(), terminal.shown()]) {
    expect(seen).toMatch(/put seen\.bin[\s\S]+put seen\.bin, done/)
    // Its banner, its answers, and what is sent to it.
    for (const chatter of ["raw REPL", "\x04", "\x05", "def _sc", "sys.stdin"])
      expect(seen).not.toContain(chatter)
  }
})
