import { expect, test } from "vitest"
import { type LineControl, TtyLines } from "./tty-lines.ts"

type Set = Parameters<LineControl["set"]>[0]

/** A driver with lines, as the binding shows it. */
function createControl(status = { cts: true, dsr: false, dcd: true, lowLatency: true }) {
  const sets: Set[] = []
  let asked = 0
  const control: LineControl = {
    async get() {
      asked++
      return status
    },
    async set(lines) {
      sets.push(lines)
    },
  }
  return { control, sets, asked: () => asked }
}

test("the lines of the device are read, those of the host are as the open left them", async () => {
  const { control } = createControl()
  expect(await new TtyLines(control).read()).toEqual({
    dtr: true,
    rts: true,
    cts: true,
    dsr: false,
    dcd: true,
  })
})

test("what is not changed is passed as it was, as the binding resets what is left out", async () => {
  const { control, sets } = createControl()
  const lines = new TtyLines(control)
  await lines.change({ dtr: false })
  await lines.change({ break: true })
  await lines.change({ rts: false, break: false })
  const fixed = { cts: false, dsr: false, lowLatency: true }
  expect(sets).toEqual([
    { dtr: false, rts: true, brk: false, ...fixed },
    { dtr: false, rts: true, brk: true, ...fixed },
    { dtr: false, rts: false, brk: false, ...fixed },
  ])
  expect(await lines.read()).toMatchObject({ dtr: false, rts: false })
})

test("a change that failed is not remembered", async () => {
  const { control } = createControl()
  const failing = {
    ...control,
    set: () => Promise.reject(new Error("Error: Input/output error, cannot set")),
  }
  const lines = new TtyLines(failing)
  await expect(lines.change({ dtr: false })).rejects.toThrow("Input/output error")
  expect(await lines.read()).toMatchObject({ dtr: true })
})

test("a tty that has no lines is asked once", async () => {
  let asked = 0
  const get = () => {
    asked++
    return Promise.reject(new Error("Error: Inappropriate ioctl for device, cannot get"))
  }
  const lines = new TtyLines({ ...createControl().control, get })
  expect([await lines.read(), await lines.read()]).toEqual([null, null])
  await expect(lines.change({ dtr: true })).rejects.toMatchObject({ code: "no_modem_lines" })
  expect(asked).toBe(1)
})

test("a tty that is dead is not taken for one without lines", async () => {
  const get = () => Promise.reject(new Error("Error: Input/output error, cannot get"))
  await expect(new TtyLines({ ...createControl().control, get }).read()).rejects.toThrow("Input/output error")
})
