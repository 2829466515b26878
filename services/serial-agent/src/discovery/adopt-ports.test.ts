import { eventually } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { adoptPorts } from "./adopt-ports.ts"

function start(policy: "show" | "open") {
  const told: string[] = []
  const shown = new Set<string>()
  let changes = 0
  const events = adoptPorts({
    policy,
    devices: {
      open: async (name, { config }) => void told.push(`open ${name} at ${config.port}`),
      show(name, { config }) {
        shown.add(name)
        told.push(`show ${name} at ${config.port}`)
      },
      hide: (name) => shown.delete(name),
      remove: (name) => told.push(`remove ${name}`),
    },
    onChange: () => changes++,
  })
  const find = (name: string) =>
    events.onFound(name, { path: `/dev/${name}`, node: `/dev/${name}`, identity: {} })
  return { told, shown, events, find, countChanges: () => changes }
}

test("a found port is shown, again when more is known of it, and hidden when it goes", () => {
  const { told, shown, events, find, countChanges } = start("show")
  find("uno")
  find("uno")
  expect(told).toEqual(["show uno at /dev/uno", "show uno at /dev/uno"])
  events.onLost("uno")
  events.onLost("uno")
  expect([shown.size, countChanges()]).toEqual([0, 3])
})

test("with discover: open it is opened once, and stays when it goes", async () => {
  const { told, events, find, countChanges } = start("open")
  find("uno")
  find("uno")
  events.onLost("uno")
  find("uno")
  expect(told).toEqual(["open uno at /dev/uno"])
  await eventually(() => expect(countChanges()).toBe(1))
})

test("one that turned out to be configured is removed, and may be found again", () => {
  const { told, events, find } = start("open")
  find("uno")
  events.onConfigured("uno")
  find("uno")
  expect(told).toEqual(["open uno at /dev/uno", "remove uno", "open uno at /dev/uno"])
})

test("however many come and go, a bounded number is opened", () => {
  const { told, events, find } = start("open")
  for (let n = 0; n < 100; n++) {
    find(`x${n}`)
    events.onLost(`x${n}`)
  }
  expect(told.filter((line) => line.startsWith("open"))).toHaveLength(64)
  expect(told.at(-1)).toBe("show x99 at /dev/x99")
})
