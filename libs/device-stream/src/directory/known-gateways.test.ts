import { createDeviceState } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { KnownGateways, maxDevices, maxGateways, sortedByAddress } from "./known-gateways.ts"

const status = (...devices: string[]) =>
  ({ online: true, instance: "i", version: "1", started: "", devices }) as const
const state = (gateway: string, device: string) => createDeviceState({ gateway, device })
const addressesOf = (known: KnownGateways) =>
  sortedByAddress(known.states()).map(({ gateway, device }) => `${gateway}/${device}`)

test("a flood of made-up statuses pushes out no gateway that has a device, and lets a new one in", () => {
  const known = new KnownGateways()
  known.setStatus("real", status("uno"))
  known.setState(state("real", "uno"))
  for (let n = 0; n < 5_000; n++) known.setStatus(`fake${n}`, status("x"))
  expect(known.setStatus("late", status("due"))).toBe(true)
  expect(known.setState(state("late", "due"))).toBe(true)
  for (let n = 0; n < 5_000; n++) known.setStatus(`more${n}`, status("x"))
  expect([known.agent("real")?.instance, known.agent("late")?.instance]).toEqual(["i", "i"])
  expect(addressesOf(known)).toEqual(["late/due", "real/uno"])
  expect(known.agent("fake0")).toBeNull()
})

test("a gateway that makes up devices makes room for those of others, and keeps its first ones", () => {
  const known = new KnownGateways()
  for (let n = 0; n < maxDevices; n++) expect(known.setState(state("fake", `d${n}`))).toBe(true)
  expect(known.setState(state("fake", "more"))).toBe(false)
  for (let n = 0; n < 64; n++) expect(known.setState(state("real", `uno${n}`))).toBe(true)
  expect([...known.statesOf("real")]).toHaveLength(64)
  expect([...known.states()]).toHaveLength(maxDevices)
  expect(known.state("fake", "d0")).toBeDefined()
  expect(known.state("fake", `d${maxDevices - 1}`)).toBeUndefined()
})

test("when every gateway has a device, a new one is refused, and one that is known goes on", () => {
  const known = new KnownGateways()
  for (let n = 0; n < maxGateways; n++) known.setState(state(`g${n}`, "uno"))
  expect(known.setState(state("more", "uno"))).toBe(false)
  expect(known.setStatus("more", status())).toBe(false)
  expect(known.setStatus("g7", status("uno", "due"))).toBe(true)
  expect(known.setState(state("g7", "due"))).toBe(true)
  known.withdraw("g3", "uno")
  expect(known.setStatus("more", status())).toBe(true)
})

test("what was withdrawn while the agent named it goes with the next status that does not, unless it was told again", () => {
  const known = new KnownGateways()
  known.setStatus("local", status("uno", "due"))
  for (const device of ["uno", "due"]) {
    known.setState(state("local", device))
    expect(known.withdraw("local", device)).toBeUndefined()
  }
  known.setState(state("local", "due"))
  known.setStatus("local", status())
  expect(addressesOf(known)).toEqual(["local/due"])
  expect(known.withdraw("local", "due")?.device).toBe("due")
  expect(known.withdraw("nobody", "due")).toBeUndefined()
})
