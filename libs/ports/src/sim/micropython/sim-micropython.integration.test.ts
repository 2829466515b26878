import { fork } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { systemClock } from "@serialcast/primitives"
import { eventually } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { chooseDriver } from "../../choose-driver.ts"
import { defaultSettings } from "../../default-settings.ts"
import type { OpenPort, PortDriver } from "../../port-driver.ts"
import { PortRecord } from "../../testing/port-record.ts"
import { childrenOf } from "./testing/children-of.ts"

const fast = { ...defaultSettings, baudRate: 1_000_000 }

async function open(driver: PortDriver) {
  const heard = new PortRecord()
  const port = await driver.open(fast, heard)
  onTestFinished(() => port.close())
  return { heard, port }
}

const text = (heard: PortRecord) => Buffer.from(heard.bytes).toString("latin1")
const type = (port: OpenPort, keys: string) => port.write(new TextEncoder().encode(keys))
const boards = () => childrenOf(process.pid)

test("the first byte starts the board, and nothing of it is lost; closing the port ends it", async () => {
  const others = boards()
  const { heard, port } = await open(chooseDriver("sim:micropython", systemClock))
  expect(boards()).toEqual(others)
  await type(port, "print('hello')\r")
  await eventually(() => expect(text(heard)).toMatch(/>>> print\('hello'\)\r\nhello\r\n>>> $/))
  expect(boards()).toHaveLength(others.length + 1)
  await type(port, "while True: print(1)\r\r")
  await eventually(() => expect(text(heard)).toMatch(/1\r\n1\r\n/))
  await port.close()
  expect(boards()).toEqual(others)
  expect(heard.closes).toEqual([{ reason: "closed by the agent" }])
})

test("a port that is closed while its board starts, or while it takes nothing, is closed at once", async () => {
  const others = boards()
  const { port } = await open(chooseDriver("sim:micropython", systemClock))
  await type(port, "while True: print(1)\r\r")
  await eventually(() => expect(boards()).toHaveLength(others.length + 1))
  await port.close()
  expect(boards()).toEqual(others)
})

test("files outlive the closing of the port", async () => {
  const driver = chooseDriver("sim:micropython", systemClock)
  const first = await open(driver)
  await type(first.port, "file = open('a', 'w'); file.write('kept'); file.close(); print('written')\r")
  await eventually(() => expect(text(first.heard)).toContain("\nwritten\r\n"))
  await first.port.close()
  const { heard, port } = await open(driver)
  await type(port, "print(open('a').read())\r")
  await eventually(() => expect(text(heard)).toContain("\nkept\r\n"))
})

test("a board whose process is killed is switched on again by the next byte", async () => {
  const others = boards()
  const { heard, port } = await open(chooseDriver("sim:micropython", systemClock))
  await type(port, "\r")
  await eventually(() => expect(text(heard)).toMatch(/>>> $/))
  const [board = -1] = boards().filter((pid) => !others.includes(pid))
  expect(board).toBeGreaterThan(0)
  process.kill(board, "SIGKILL")
  await eventually(() => expect(boards()).not.toContain(board))
  await eventually(async () => {
    expect(heard.closes).toEqual([])
    await type(port, "\r")
    expect(text(heard).split("MicroPython")).toHaveLength(3)
  })
})

test("a board goes with its agent, killed or not, whatever it computes", async () => {
  const child = fork(new URL("./testing/keep-busy.ts", import.meta.url), [], {
    execArgv: ["--conditions=@serialcast/source", "--import", "tsx"],
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  const [line] = (await once(child.stdout!, "data")) as [Uint8Array]
  const board = Number(new TextDecoder().decode(line))
  expect(existsSync(`/proc/${board}`)).toBe(true)
  child.kill("SIGKILL")
  await eventually(() => expect(existsSync(`/proc/${board}`)).toBe(false))
})
