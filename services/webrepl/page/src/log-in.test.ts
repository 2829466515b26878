import { expect, test } from "vitest"
import { LogIn } from "./log-in.ts"

const prompt = "Password: "
const welcome = "\r\nWebREPL connected\r\n>>> "

const told = (...texts: readonly string[]) => {
  const logIn = new LogIn()
  return texts.map((text) => logIn.hear(text))
}

test("the prompt is told, and then the welcome", () => {
  expect(told(prompt, welcome)).toEqual(["asked", "welcomed"])
  expect(told(...(prompt + welcome).split("")).filter((one) => one !== null)).toEqual(["asked", "welcomed"])
})

test("what a board says later is no welcome", () => {
  expect(told(prompt, welcome, welcome, prompt)).toEqual(["asked", "welcomed", null, null])
})

test("a server that says anything else first asks for nothing", () => {
  expect(told("\r\n[serialcast] the board is in use\r\n", prompt, welcome)).toEqual([null, null, null])
})

test("a password that is denied is no welcome", () => {
  expect(told(prompt, "\r\nAccess denied\r\n")).toEqual(["asked", null])
})

test("a server that says nothing was not heard", () => {
  const logIn = new LogIn()
  expect(logIn.wasHeard).toBe(false)
  logIn.hear("P")
  expect(logIn.wasHeard).toBe(true)
})
