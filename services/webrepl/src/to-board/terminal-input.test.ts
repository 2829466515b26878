import { AppError, type DeviceState } from "@serialcast/contract"
import type { DeviceClient, DeviceWriter, WriterOptions } from "@serialcast/device-stream"
import { createDeviceState, eventually } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { Transfers } from "../session/transfers.ts"
import { TerminalInput } from "./terminal-input.ts"

const encode = (text: string) => new TextEncoder().encode(text)

/** A board whose sessions of writes the test plays. */
function play() {
  const sessions: { by: string; text: string; isLeft: boolean }[] = []
  const transfers = new Transfers()
  const told: string[] = []
  const gone = new AbortController()
  let state: DeviceState = createDeviceState()
  let refusal: AppError | null = null
  let answers = Promise.resolve()
  const openWriter = ({ by }: WriterOptions): DeviceWriter => {
    const session = { by, text: "", isLeft: false }
    sessions.push(session)
    const played: Partial<DeviceWriter> = {
      async write(bytes) {
        if (refusal !== null) throw refusal
        session.text += new TextDecoder().decode(bytes)
      },
      flush: async () => ({ bytes: session.text.length }),
      async [Symbol.asyncDispose]() {
        session.isLeft = true
        await answers
      },
    }
    // No others are called.
    return played as DeviceWriter
  }
  const devices = {
    devices: { get: () => state },
    device: () => ({ openWriter }),
  } as unknown as DeviceClient
  const input = new TerminalInput({
    address: "local/uno",
    devices,
    by: "webrepl:me",
    transfers,
    onRefused: ({ message }) => told.push(message),
    signal: gone.signal,
  })
  onTestFinished(() => {
    gone.abort()
    return input[Symbol.asyncDispose]()
  })
  return {
    input,
    sessions,
    transfers,
    told,
    replug: () => {
      state = { ...state, open: state.open + 1 }
    },
    /** The agent is away. */
    silence: () => {
      const { signal } = gone
      answers = new Promise((resolve) => signal.addEventListener("abort", () => resolve()))
    },
    refuse: (error: AppError | null) => {
      refusal = error
    },
  }
}

test("what is typed goes out in one session, in order", async () => {
  const { input, sessions } = play()
  await Promise.all(["pri", "nt", "(1)"].map((key) => input.write(encode(key))))
  expect(sessions).toEqual([{ by: "webrepl:me", text: "print(1)", isLeft: false }])
})

test("a board that was plugged in anew has a session of its own", async () => {
  const { input, sessions, replug } = play()
  await input.write(encode("a"))
  replug()
  await input.write(encode("b"))
  expect(sessions.map(({ text, isLeft }) => [text, isLeft])).toEqual([
    ["a", true],
    ["b", false],
  ])
})

test("a board that was plugged in anew is written to at once, whoever does not answer what was typed before", async () => {
  const { input, sessions, replug, silence } = play()
  await input.write(encode("a"))
  silence()
  replug()
  await input.write(encode("b"))
  expect(sessions.map(({ text }) => text)).toEqual(["a", "b"])
})

test("a refusal is told once until something is written again, and does not end the typing", async () => {
  const { input, sessions, told, refuse } = play()
  refuse(new AppError("leased", "Somebody has it."))
  await input.write(encode("a"))
  await input.write(encode("b"))
  expect(told).toEqual(["Somebody has it."])
  refuse(null)
  await input.write(encode("c"))
  expect(sessions.at(-1)?.text).toBe("c")
  refuse(new AppError("leased", "Somebody has it again."))
  await input.write(encode("d"))
  expect(told).toEqual(["Somebody has it.", "Somebody has it again."])
})

test("what is typed during a transfer follows it, and no more than 4 KiB", async () => {
  const { input, sessions, transfers, told } = play()
  transfers.begin()
  await input.write(encode("a"))
  await input.write(encode("b"))
  await input.write(encode("x".repeat(4_095)))
  // With a hole in front of it, it would mean something else.
  await input.write(encode("y"))
  expect(told).toEqual(["A transfer has the board; what is typed until its end is thrown away."])
  expect(sessions).toEqual([])
  transfers.end()
  await input.write(encode("c"))
  await eventually(() => expect(sessions.map(({ text }) => text)).toEqual(["abc"]))
  transfers.begin()
  await input.write(encode("d"))
  transfers.end()
  await eventually(() => expect(sessions.map(({ text }) => text)).toEqual(["abcd"]))
})
