import { Boards } from "@serialcast/boards"
import type { Device, DeviceClient, LeaseOptions } from "@serialcast/device-stream"
import { createWakeup, systemClock } from "@serialcast/primitives"
import { createDeviceState } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { noDevices } from "../testing/start-test-service.ts"
import { lendBoard } from "./lend-board.ts"

/** A board whose lease is asked for and never answered. */
function lendPlayed() {
  const purposes: (string | undefined)[] = []
  const came = createWakeup()
  const played: Partial<Device> = {
    acquireLease({ purpose }: LeaseOptions) {
      purposes.push(purpose)
      came.wake()
      return new Promise(() => {})
    },
  }
  const devices: DeviceClient = {
    ...noDevices,
    devices: { ...noDevices.devices, get: () => createDeviceState() },
    // No others are called.
    device: () => played as Device,
  }
  const use = lendBoard("local/uno", { devices, boards: new Boards(), clock: systemClock })
  return { use, purposes, came }
}

test("a name of 64 letters that take two bytes each is no obstacle: what the board is taken for is cut", async () => {
  const { use, purposes, came } = lendPlayed()
  void use({ about: `put ${"é".repeat(64)}`, signal: new AbortController().signal }, async () => {})
  if (purposes.length === 0) await came.wait()
  expect(purposes).toEqual([`put ${"é".repeat(62)}`])
})

test("a name says nothing to the terminals of others", async () => {
  const { use, purposes, came } = lendPlayed()
  void use({ about: "put \x1b[2Ja\r\n-- b", signal: new AbortController().signal }, async () => {})
  if (purposes.length === 0) await came.wait()
  expect(purposes).toEqual(["put  [2Ja -- b"])
})

test("who is gone does not wait for the board", async () => {
  const { use, purposes } = lendPlayed()
  void use({ about: "put a", signal: new AbortController().signal }, async () => {})
  const gone = new AbortController()
  const waiting = use({ about: "put b", signal: gone.signal }, async () => {})
  gone.abort()
  await expect(waiting).rejects.toMatchObject({ code: "cancelled" })
  expect(purposes).toEqual(["put a"])
})
