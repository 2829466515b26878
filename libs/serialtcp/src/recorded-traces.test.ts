import { decodeHex, encodeHex } from "@serialcast/primitives"
import { atMs } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { CableEnd } from "./cable-end.ts"
import type { CableInput } from "./cable-events.ts"
import type { Role } from "./codes.ts"

const bytesOf = (hex: string) => decodeHex(hex.replaceAll(" ", ""))!
const hexOf = (bytes: Uint8Array) => encodeHex(bytes).toLowerCase()

/** What the far end sends, what this end does then, and what it sends and delivers for it. */
type Step = readonly [hex: string, inputs: readonly CableInput[], written: string, delivered?: string]

const text = (hex: string): CableInput => ({ kind: "tcpReceived", bytes: bytesOf(hex) })

/** As they were recorded between two ends of the existing program, with one of them replaced. */
const traces: readonly { title: string; role: Role; steps: readonly Step[] }[] = [
  {
    title: "a server that was first",
    role: "server",
    steps: [
      ["1f441f441fc1", [], "1fe1"],
      ["1fc2", [], "1fe2"],
      ["1fc3", [], "1fe3"],
    ],
  },
  {
    title: "a client that was first",
    role: "client",
    steps: [
      ["1f441f441fe0", [], "1f441f441fc1"],
      ["1fe1", [], "1fc2"],
      ["1fe2", [], "1fc3"],
      ["1fe3", [], ""],
    ],
  },
  {
    title: "connect, data and the far end's close at a server",
    role: "server",
    steps: [
      ["1f441f441fc1", [], "1fe1"],
      ["1fc21fc3", [{ kind: "clientsWaited", count: 1 }], "1fe21fe31f43"],
      ["1f631f73", [text("68656c6c6f"), text("411f1f421f")], "1f7368656c6c6f411f1f1f1f421f1f"],
      ["68656c6c6f411f1f1f1f421f1f", [], "", "68656c6c6f411f1f421f"],
      ["1f1f441f1f73", [], "", "1f441f73"],
      ["6279651f441f441f441fc1", [], "1fe1", "627965"],
    ],
  },
  {
    title: "a target that speaks first, in one burst with the answer",
    role: "server",
    steps: [
      ["1f441f441fc11fc21fc3", [{ kind: "clientsWaited", count: 1 }], "1fe11fe21fe31f43"],
      ["1f631f7362616e6e6572", [], "1f73", "62616e6e6572"],
    ],
  },
  {
    title: "connect, data and the far end's close at a client",
    role: "client",
    steps: [
      ["1fe11fe21fe3", [], "1fc21fc3"],
      ["1f43", [{ kind: "dialed" }], "1f631f73"],
      ["1f73616761696e", [text("1f")], "1f1f", "616761696e"],
      ["1f441f441f441fe0", [], "1f441f441fc11f441f441fc1"],
      ["1fe11fe21fe3", [], "1fc21fc3"],
    ],
  },
  {
    title: "a target that refuses, at the client",
    role: "client",
    steps: [
      ["1fe11fe21fe3", [], "1fc21fc3"],
      ["1f43", [{ kind: "dialFailed" }], "1f461f441f441fc1"],
      ["1f441f441fe0", [], "1f441f441fc1"],
      ["1fe11fe21fe3", [], "1fc21fc3"],
    ],
  },
  {
    title: "a target that refuses, at the server",
    role: "server",
    steps: [
      ["1f441f441fc11fc21fc3", [{ kind: "clientsWaited", count: 1 }], "1fe11fe21fe31f43"],
      ["1f461f441f441fc1", [], "1fe1"],
      ["1f441f441fc11fc21fc3", [], "1fe11fe21fe3"],
    ],
  },
]

function play(
  role: Role,
  steps: readonly Step[],
  split: (bytes: Uint8Array) => readonly Uint8Array[],
): string[] {
  const end = new CableEnd({ role })
  end.handle({ kind: "started" }, atMs(0))
  return steps.map(([hex, inputs]) => {
    const told = [...split(bytesOf(hex)).map((bytes) => ({ kind: "received", bytes }) as const), ...inputs]
    const actions = told.flatMap((input) => end.handle(input, atMs(0)))
    const join = (kind: "write" | "deliver") =>
      actions.map((action) => (action.kind === kind ? hexOf(action.bytes) : "")).join("")
    return `${join("write")} | ${join("deliver")}`
  })
}

describe.each(traces)("the recorded trace of $title", ({ role, steps }) => {
  const expected = steps.map(([, , written, delivered = ""]) => `${written} | ${delivered}`)

  test("is answered byte for byte", () => {
    expect(play(role, steps, (bytes) => [bytes])).toEqual(expected)
  })

  test("is answered the same wherever reads split it, and byte by byte", () => {
    const longest = Math.max(...steps.map(([hex]) => hex.length / 2))
    for (let at = 1; at < longest; at++) {
      expect(play(role, steps, (bytes) => [bytes.subarray(0, at), bytes.subarray(at)])).toEqual(expected)
    }
    expect(play(role, steps, (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(expected)
  })
})
