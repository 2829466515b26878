import { expect, test } from "vitest"
import type { Mark } from "./mark.ts"
import { describeVeil, type Shown, Veil } from "./veil.ts"

const ascii = (text: string) => new TextEncoder().encode(text)
const leased = (purpose?: string): Mark => ({
  n: 0,
  kind: "leased",
  holder: "ann",
  ...(purpose === undefined ? {} : { purpose }),
})
const released: Mark = { n: 0, kind: "released", holder: "ann", reason: "released", purpose: "put" }
const none = { lease: null }
const inForce = { lease: { holder: "ann", purpose: "put", from: 4 } }

/** What is shown, as one text: notices in brackets. */
function text(shown: readonly Shown[]): string {
  return shown
    .map((one) =>
      one.kind === "bytes" ? new TextDecoder().decode(one.bytes) : `[${one.kind} ${one.lease.purpose}]`,
    )
    .join("")
}

function play(veil: Veil, ...steps: (string | Mark)[]): string {
  let offset = 0
  return steps
    .map((step) => {
      if (typeof step !== "string") return text(veil.mark(step))
      const shown = text(veil.bytes(offset, ascii(step)))
      offset += step.length
      return shown
    })
    .join("")
}

test("what the device says under a lease with a purpose is hidden, but for the prompt at its end", () => {
  const shown = play(new Veil(none), "a", leased("put"), "raw REPL", "\r\nOK\r\n>", ">> ", released, "b")
  expect(shown).toBe("a[drawn put][lifted put]>>> b")
})

test("a lease of a person hides nothing", () => {
  expect(
    play(new Veil(none), leased(), "a", { n: 0, kind: "released", holder: "ann", reason: "expired" }, "b"),
  ).toBe("ab")
})

test.each<[string, Mark]>([
  ["is closed", { n: 0, kind: "closed", reason: "unplugged" }],
  ["is opened by an agent that was killed before", { n: 0, kind: "opened", open: 2 }],
])("nothing stays hidden when the port %s", (_, mark) => {
  expect(play(new Veil(none), leased("put"), "x", mark, "boot")).toBe("[drawn put][lifted put]xboot")
})

test("nothing stays hidden behind a gap", () => {
  const veil = new Veil(none)
  play(veil, leased("put"), "x\n")
  expect(text(veil.gap())).toBe("[lifted put]")
  expect(play(veil, "a")).toBe("a")
})

test("who comes in the middle of it sees nothing of it either, and all that was before", () => {
  expect(play(new Veil(inForce), "befoXX", released, "b")).toBe("befo[drawn put][lifted put]XXb")
  expect(play(new Veil(inForce), "be", "fo", leased("put"), "XX\n", released, "b")).toBe(
    "befo[drawn put][lifted put]b",
  )
})

test("a state that was old when the reading began hides nothing for long", () => {
  const veil = new Veil(inForce)
  expect(play(veil, "befoXX")).toBe("befo[drawn put]")
  expect(text(veil.state(inForce))).toBe("")
  expect(text(veil.state(none))).toBe("[lifted put]XX")
  const quiet = new Veil(inForce)
  quiet.state(none)
  expect(play(quiet, "before")).toBe("before")
})

test("what a mark says is not taken back by a state that is newer than the place that is read", () => {
  const veil = new Veil(none)
  play(veil, leased("put"), "x")
  expect(text(veil.state(none))).toBe("")
  expect(play(veil, "x")).toBe("")
})

test("of a lease whose port was opened since, nothing is hidden", () => {
  expect(play(new Veil({ ...inForce, openedAt: 5 }), "before, after")).toBe("before, after")
})

test("a last line without end is not shown, nor held", () => {
  const veil = new Veil(none)
  const pieces = Array.from({ length: 100 }, () => "0123456789")
  expect(play(veil, leased("put"), ...pieces, released)).toBe("[drawn put][lifted put]")
  expect(play(veil, leased("put"), ...pieces, "\n>>> ", released)).toBe("[drawn put][lifted put]>>> ")
})

/** What a terminal says at the end of what it hid. */
function endOf(shown: readonly Shown[]): string | undefined {
  const lifted = shown.find(({ kind }) => kind === "lifted")
  return lifted?.kind === "lifted" ? describeVeil(lifted) : undefined
}

test.each<[string, Mark, string]>([
  ["is done", released, "ann: put, done"],
  ["failed", { ...released, outcome: "failed" }, "ann: put, failed"],
  ["was cancelled", { ...released, outcome: "cancelled" }, "ann: put, cancelled"],
  ["was left by a process that died", { ...released, reason: "expired" }, "ann: put, expired"],
])("what %s is told so at its end", (_, mark, said) => {
  const veil = new Veil(none)
  play(veil, leased("put"), "x")
  expect(endOf(veil.mark(mark))).toBe(said)
})

test("of an end that only a state tells, nobody says that it is done", () => {
  const veil = new Veil(inForce)
  play(veil, "befoXX")
  expect(endOf(veil.state(none))).toBe("ann: put, over")
})

test("whatever a program calls itself, it is told on one line", () => {
  const [drawn] = new Veil(none).mark(leased("put a\r\n>>> b.py"))
  expect(drawn?.kind === "drawn" && describeVeil(drawn)).toBe("ann: put a >>> b.py …")
})
