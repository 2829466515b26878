import { expect, test } from "vitest"
import { explainOpenError } from "./open-error.ts"

test("a container that may not open a device is told the rule that is missing", async () => {
  const cause = new Error("Error: Operation not permitted, cannot open /dev/null")
  expect(await explainOpenError("/dev/null", cause)).toMatchObject({
    code: "open_failed",
    message: 'The container may not open /dev/null; add "c 1:* rw" to its device_cgroup_rules.',
    cause,
  })
  const gone = await explainOpenError("/dev/no-such", new Error("Error: Operation not permitted"))
  expect(gone.message).toContain('"c <major>:* rw"')
})

test("what is not foreseen is told as the system tells it", async () => {
  const { message } = await explainOpenError(
    "/dev/ttyS9",
    new Error("Error: Input/output error, cannot open /dev/ttyS9"),
  )
  expect(message).toBe("/dev/ttyS9 cannot be opened: Input/output error.")
})
