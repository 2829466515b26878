import { expect, test } from "vitest"
import { LoopTurns } from "./loop-turns.ts"

test("in each turn of the event loop one goes on, in the order in which they came", async () => {
  const turns = new LoopTurns()
  const done: string[] = []
  for (const name of ["a", "b"]) turns.wait(() => done.push(name))
  void turns.next().then(() => done.push("c"))
  for (const expected of [["a"], ["a", "b"], ["a", "b", "c"]]) {
    await new Promise(setImmediate)
    expect(done).toEqual(expected)
  }
})

test("who waits again comes after those that wait", async () => {
  const turns = new LoopTurns()
  const done: string[] = []
  turns.wait(() => {
    done.push("a")
    turns.wait(() => done.push("a again"))
  })
  turns.wait(() => done.push("b"))
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
  expect(done).toEqual(["a", "b", "a again"])
})
