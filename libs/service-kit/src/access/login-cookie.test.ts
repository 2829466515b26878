import { expect, test } from "vitest"
import { createLoginCookie } from "./login-cookie.ts"

test("the cookie logs in at every replica with the same token, and only there", () => {
  const token = "a-token-of-some-length"
  const cookie = createLoginCookie(token).cookie()
  expect(cookie).toMatch(/^serialcast_session=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/)
  expect(cookie).not.toContain(token)
  const [pair] = cookie.split(";")
  expect(createLoginCookie(token).matches(`theme=dark; ${pair}`)).toBe(true)
  expect(createLoginCookie("another-token-of-some-length").matches(pair)).toBe(false)
})

test("no cookie, another cookie and a wrong value do not log in", () => {
  const login = createLoginCookie("a-token-of-some-length")
  const cookies = [undefined, "", "theme=dark", "serialcast_session=", "serialcast_session=x"]
  expect(cookies.some((cookie) => login.matches(cookie))).toBe(false)
})
