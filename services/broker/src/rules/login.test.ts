import { brokerPassword, createAttemptLimiter } from "@serialcast/service-kit"
import { FakeClock } from "@serialcast/testkit"
import { beforeEach, expect, test } from "vitest"
import { judgeLogin, type Origin } from "./login.ts"

const token = "a-token-of-some-length"
let clock: FakeClock
let limiter: ReturnType<typeof createAttemptLimiter>

beforeEach(() => {
  clock = new FakeClock()
  limiter = createAttemptLimiter({ clock })
})

function refusal(
  password: string | undefined,
  origin: Origin,
  expected: string | null = token,
  username: string | undefined = "anyone",
) {
  const bytes = password === undefined ? undefined : new TextEncoder().encode(password)
  const refused = judgeLogin({ origin, username, password: bytes }, { token: expected, limiter })
  return refused && [refused.error.code, refused.returnCode]
}

const away: Origin = { kind: "network", address: "10.0.0.1" }

test("the token opens, anything else does not", () => {
  expect(refusal(token, away)).toBeUndefined()
  expect(refusal("wrong", away)).toEqual(["unauthorized", 4])
  expect(refusal(`${token} `, away)).toEqual(["unauthorized", 4])
  expect(refusal("", away)).toEqual(["unauthorized", 4])
  expect(refusal(undefined, away)).toEqual(["unauthorized", 5])
})

test("a service's password opens with its name only, and is not the token", () => {
  const password = brokerPassword(token, "http-gateway")
  expect(refusal(password, away, token, "http-gateway")).toBeUndefined()
  expect(refusal(password, away, token, "console")).toEqual(["unauthorized", 4])
  expect(refusal(brokerPassword("another", "console"), away, token, "console")).toEqual(["unauthorized", 4])
  expect(password).not.toContain(token)
})

test("connections of this process, and all when there is no token, need none", () => {
  expect(refusal(undefined, { kind: "process" })).toBeUndefined()
  expect(refusal(undefined, away, null)).toBeUndefined()
})

test("after ten wrong tokens an address must send the right one or wait a minute, and only that address", () => {
  for (let attempt = 0; attempt < 10; attempt++) refusal("wrong", away)
  expect(refusal("wrong", away)).toEqual(["too_many_attempts", 5])
  expect(refusal(token, away)).toBeUndefined()
  expect(refusal("wrong", { kind: "network", address: "10.0.0.2" })).toEqual(["unauthorized", 4])
  clock.advance(60_000)
  expect(refusal("wrong", away)).toEqual(["unauthorized", 4])
})
