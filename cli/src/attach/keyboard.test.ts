import { PassThrough } from "node:stream"
import type { ReadStream } from "node:tty"
import { eventually } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { Keyboard } from "./keyboard.ts"

const escape = 0x1d

function createKeyboard() {
  // A terminal without its modes.
  const stdin = new PassThrough() as unknown as ReadStream & PassThrough
  let escapes = 0
  const keyboard = new Keyboard(stdin, { escape, onEscape: () => escapes++ })
  return { stdin, keyboard, escapes: () => escapes }
}

describe("the keyboard", () => {
  test("gives every byte in order, and ends at the escape key, with what was typed before it and not after", async () => {
    const { stdin, keyboard, escapes } = createKeyboard()
    const typed = Uint8Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== escape)
    stdin.write(typed)
    stdin.write(Uint8Array.of(0x61, escape, 0x62))
    stdin.write("more")
    const got: number[] = []
    for await (const bytes of keyboard.read(new AbortController().signal)) got.push(...bytes)
    expect(got).toEqual([...typed, 0x61])
    expect(escapes()).toBe(1)
  })

  test("hears the escape key while what was typed before it is not taken", async () => {
    const { stdin, keyboard, escapes } = createKeyboard()
    const reading = keyboard.read(new AbortController().signal)
    stdin.write("a")
    await reading.next()
    stdin.write(Uint8Array.of(0x62, escape))
    await eventually(() => expect(escapes()).toBe(1))
  })

  test("holds a bounded number of bytes for a device that takes none; the rest waits where it is, and comes", async () => {
    const { stdin, keyboard } = createKeyboard()
    const leaving = new AbortController()
    const reading = keyboard.read(leaving.signal)
    const pasted = new Uint8Array(1_000_000).fill(0x78)
    for (let at = 0; at < pasted.byteLength; at += 1_000) stdin.write(pasted.subarray(at, at + 1_000))
    let got = (await reading.next()).value!.byteLength
    await eventually(() => expect(stdin.isPaused()).toBe(true))
    expect(stdin.readableLength + stdin.writableLength).toBeGreaterThan(900_000)
    while (got < pasted.byteLength) got += (await reading.next()).value!.byteLength
    expect(got).toBe(pasted.byteLength)
    leaving.abort()
    expect(await reading.next()).toMatchObject({ done: true })
    expect(stdin.listenerCount("data")).toBe(0)
  })

  test("the end of the input leaves too", async () => {
    const { stdin, keyboard, escapes } = createKeyboard()
    stdin.end("a")
    let got = 0
    for await (const bytes of keyboard.read(new AbortController().signal)) got += bytes.byteLength
    expect(got).toBe(1)
    expect(escapes()).toBe(1)
  })
})
