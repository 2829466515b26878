import { createTopics } from "@serialcast/contract"
import { expect, test } from "vitest"
import { judgePublication } from "./publish-rules.ts"
import { RetainedBudget } from "./retained-budget.ts"

const rules = { topics: createTopics("root"), retained: new RetainedBudget(4096) }
const judge = (topic: string, retain: boolean, payload: string | Uint8Array = "x") =>
  judgePublication({ topic, payload, retain }, rules).action

test.each(["root/gw/dev/tx", "root/gw/dev/call/write/c1", "root/gw/dev/rx", "root/_discover"])(
  "a retained message on %s is passed on but not kept",
  (topic) => expect(judge(topic, true)).toBe("passOn"),
)

test.each(["root/gw/status", "root/gw/dev/state", "somebody/elses/topic", "root2/gw/dev/tx"])(
  "a retained message on %s is kept",
  (topic) => expect(judge(topic, true)).toBe("retain"),
)

test("a message that is not retained is passed on", () => {
  expect(judge("root/gw/dev/state", false)).toBe("passOn")
})

test.each(["$SYS/x", "$share/g/t"])("%s is the broker's own", (topic) => {
  expect(judge(topic, false)).toBe("refuse")
})

test("what does not fit into the budget is passed on but not kept", () => {
  expect(judge("big", true, new Uint8Array(8192))).toBe("overBudget")
})
