import { expect, test } from "vitest"
import { createSession } from "./session.ts"

test("the cookie logs in at every replica with the same token, and only there", () => {
  const token = "a-token-of-some-length"
  const cookie = createSession(token).cookie()
  expect(cookie).toMatch(/^serialcast_session=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/)
  expect(cookie).not.toContain(token)
  const [pair] = cookie.split(";")
  expect(createSession(token).matches(`theme=dark; ${pair}`)).toBe(true)
  expect(createSession("another-token-of-some-length").matches(pair)).toBe(false)
})

test("no cookie, another cookie and a wrong value do not log in", () => {
  const session = createSession("a-token-of-some-length")
  const cookies = [undefined, "", "theme=dark", "serialcast_session=", "serialcast_session=x"]
  expect(cookies.some((cookie) => session.matches(cookie))).toBe(false)
})
