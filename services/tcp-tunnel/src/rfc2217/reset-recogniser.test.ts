import { describe, expect, it } from "vitest"
import { ResetRecogniser } from "./reset-recogniser.ts"

const both = [true, false]
const combinations = both.flatMap((dtr) => both.map((rts) => ({ dtr, rts })))

/** Plays changes in the words of macros, `D0` for DTR off; answers what was recognised at which of them. */
function play(recogniser: ResetRecogniser, changes: string): string[] {
  return changes.split(" ").flatMap((name, at) => {
    const isOn = name[1] === "1"
    const found = recogniser.change(name[0] === "D" ? { dtr: isOn } : { rts: isOn })
    return found === null ? [] : [`${found} at ${at}`]
  })
}

/** Of a client that opened its port with these lines. */
function opened(lines = { dtr: true, rts: true }): ResetRecogniser {
  const recogniser = new ResetRecogniser({ dtr: true, rts: true })
  recogniser.change({ dtr: lines.dtr })
  recogniser.change({ rts: lines.rts })
  recogniser.opened()
  return recogniser
}

// What esptool sends by pySerial: each change of one line sets DTR again, which is a change of nothing.
const classic = "D0 R1 D0 D1 R0 D1 D0"

describe("the recogniser", () => {
  it.each(combinations)("takes an opening with DTR $dtr and RTS $rts for no reset", (lines) => {
    for (const found of combinations) {
      const recogniser = new ResetRecogniser(found)
      expect(recogniser.change({ dtr: lines.dtr })).toBeNull()
      expect(recogniser.change({ rts: lines.rts })).toBeNull()
      recogniser.opened()
      recogniser.opened()
      expect(recogniser.change({ dtr: lines.dtr })).toBeNull()
    }
  })

  it.each(combinations)(
    "finds the bootloader in esptool's classic reset, opened with DTR $dtr and RTS $rts",
    (lines) => {
      // Opened in reset, the first changes enter nothing: the sequence begins with both lines known.
      const isHeld = !lines.dtr && lines.rts
      expect(play(opened(lines), isHeld ? `R0 ${classic}` : classic)).toEqual([
        isHeld ? "bootloader at 4" : "bootloader at 3",
      ])
    },
  )

  it("finds the bootloader in the UnixTight order", () => {
    const unixTight = "D0 R0 D1 R1 D0 R1 D1 R0 D0 R0 D0"
    expect(play(opened({ dtr: false, rts: false }), unixTight)).toEqual(["bootloader at 6"])
    // One line after the other, its first step goes through the reset as it would on the wire.
    expect(play(opened(), unixTight)).toEqual(["reset at 1", "bootloader at 6"])
  })

  it("finds a plain reset in esptool's hard reset", () => {
    expect(play(opened({ dtr: false, rts: false }), "R1 R0")).toEqual(["reset at 1"])
  })

  it("finds each of several resets in a row", () => {
    const recogniser = opened()
    expect(play(recogniser, classic)).toEqual(["bootloader at 3"])
    expect(play(recogniser, classic)).toEqual(["bootloader at 3"])
    expect(play(recogniser, "R1 R0 R1 R0")).toEqual(["reset at 1", "reset at 3"])
  })

  it("swallows what follows the bootloader's sign until both lines are off", () => {
    const recogniser = opened()
    expect(play(recogniser, "D0 D1 D0 R0")).toEqual(["bootloader at 1"])
    expect(play(recogniser, "R1 R0")).toEqual(["reset at 1"])
  })

  it("takes a change of both lines at once as one", () => {
    const recogniser = opened()
    expect(recogniser.change({ dtr: false, rts: true })).toBeNull()
    expect(recogniser.change({ dtr: true, rts: false })).toBe("bootloader")
  })

  it("takes a request that changes nothing for nothing", () => {
    expect(play(opened({ dtr: false, rts: false }), "R1 R1 D0 R1 R0 R0")).toEqual(["reset at 4"])
  })

  it("takes changes of one line, without the other, for no reset", () => {
    expect(play(opened(), "R0 R1 R0 D0 D1 D0")).toEqual([])
  })
})
