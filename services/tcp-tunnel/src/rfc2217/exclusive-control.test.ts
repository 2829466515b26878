import { AppError, type DeviceState } from "@serialcast/contract"
import type { DeviceLease, LeaseOptions } from "@serialcast/device-stream"
import { createDeferred } from "@serialcast/primitives"
import { createDeviceState, FakeClock } from "@serialcast/testkit"
import { afterEach, expect, test } from "vitest"
import { ExclusiveControl } from "./exclusive-control.ts"

const controls: ExclusiveControl[] = []
afterEach(async () => {
  for (const control of controls.splice(0)) await control.stop()
})

/** A device's lease as its agent keeps it, which a test takes and loses. */
function playDevice() {
  let holder: string | null = null
  let problem: AppError | null = null
  let fences = 0
  const current = { fence: "" }
  let state: DeviceState = createDeviceState()
  const held = new Map<string, AbortController>()
  const end = (fence: string) => {
    if (current.fence !== fence) return
    current.fence = ""
    holder = null
  }
  const take = ({ by }: LeaseOptions): DeviceLease => {
    if (problem !== null) throw problem
    if (holder !== null) throw new AppError("leased", `${holder} holds the device.`)
    holder = by
    const fence = `fence-${++fences}`
    current.fence = fence
    const lost = new AbortController()
    held.set(fence, lost)
    const release = async () => end(fence)
    return { fence, holder: by, lost: lost.signal, release, [Symbol.asyncDispose]: release }
  }
  return {
    acquireLease: async (options: LeaseOptions) => take(options),
    async lease({ fence = "" }: LeaseOptions & { fence?: string | undefined }) {
      if (fence !== current.fence) throw new AppError("lease_lost", "This lease is over.")
      return { token: fence, holder: holder ?? "", ttlMs: 1 }
    },
    get holder() {
      return holder
    },
    state: () => state,
    setState(changes: Partial<DeviceState>) {
      state = { ...state, ...changes }
    },
    fail(error: AppError | null) {
      problem = error
    },
    takeBy(by: string) {
      const { fence } = current
      end(fence)
      holder = by
      held.get(fence)?.abort()
    },
    forget() {
      end(current.fence)
    },
    releaseBy(by: string) {
      if (holder === by) holder = null
    },
  }
}

function setUp() {
  const device = playDevice()
  const clock = new FakeClock()
  const control = new ExclusiveControl({ device, state: device.state, clock })
  controls.push(control)
  const changes: string[] = []
  const join = (by: string) =>
    control.join({ by, onChange: (hasControl) => changes.push(`${by} ${hasControl ? "gets" : "loses"} it`) })
  return { device, clock, control, changes, join }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

test("the first one has control, under the device's lease; those who come later watch", async () => {
  const { device, changes, join } = setUp()
  const first = join("a")
  const second = join("b")
  expect(await Promise.all([first.standing(), second.standing()])).toEqual(["controls", "watches"])
  expect(device.holder).toBe("a")
  expect([first.fence, second.fence]).toEqual(["fence-1", undefined])
  expect(changes).toEqual(["a gets it"])
})

test("when it leaves, the one that has waited longest gets control", async () => {
  const { device, changes, join } = setUp()
  const [first, second, third] = [join("a"), join("b"), join("c")]
  await first.standing()
  await first.leave()
  expect(await Promise.all([second.standing(), third.standing()])).toEqual(["controls", "watches"])
  expect(device.holder).toBe("b")
  expect(changes).toEqual(["a gets it", "a loses it", "b gets it"])
})

test("one that comes while the controller is leaving waits for that, but not for ever", async () => {
  const { clock, join } = setUp()
  const first = join("a")
  await first.standing()
  first.prepareToLeave()
  const [second, third] = [join("b"), join("c")]
  const standing = second.standing()
  const tooLate = third.standing()
  await clock.advanceAsync(1_999)
  await first.leave()
  expect(await standing).toBe("controls")
  expect(await tooLate).toBe("watches")
  const fourth = join("d")
  second.prepareToLeave()
  const never = fourth.standing()
  await clock.advanceAsync(2_000)
  expect(await never).toBe("watches")
})

test("while somebody else holds the device all watch; it is asked for again when the state says that it is free", async () => {
  const { device, control, join } = setUp()
  device.takeBy("console")
  device.setState({ lease: { holder: "console" } })
  const seat = join("a")
  expect(await seat.standing()).toBe("watches")
  device.releaseBy("console")
  control.deviceChanged()
  await settle()
  expect(seat.hasControl).toBe(false)
  device.setState({ lease: null })
  control.deviceChanged()
  await settle()
  expect(await seat.standing()).toBe("controls")
})

test("one whose lease was taken watches until it is free", async () => {
  const { device, control, changes, join } = setUp()
  const seat = join("a")
  await seat.standing()
  device.setState({ lease: { holder: "console" } })
  device.takeBy("console")
  await settle()
  expect(await seat.standing()).toBe("watches")
  expect(seat.fence).toBeUndefined()
  device.releaseBy("console")
  device.setState({ lease: null })
  control.deviceChanged()
  await settle()
  expect(await seat.standing()).toBe("controls")
  expect(changes).toEqual(["a gets it", "a loses it", "a gets it"])
})

test("without an agent nobody has control; it is asked for again, and had when the agent is there", async () => {
  const { device, clock, join } = setUp()
  device.fail(new AppError("device_offline", "The agent is away."))
  const seat = join("a")
  expect(await seat.standing()).toBe("away")
  device.fail(null)
  await clock.advanceAsync(1_000)
  await settle()
  expect(await seat.standing()).toBe("controls")
})

test("control comes back at once when the agent was restarted and knows nothing of the lease", async () => {
  const { device, control, changes, join } = setUp()
  const seat = join("a")
  await seat.standing()
  device.setState({ online: false })
  control.deviceChanged()
  device.forget()
  device.setState({ online: true, open: 2 })
  control.deviceChanged()
  await settle()
  expect(await seat.standing()).toBe("controls")
  expect(seat.fence).toBe("fence-2")
  expect(changes).toEqual(["a gets it", "a loses it", "a gets it"])
})

test("a replug leaves control where it is", async () => {
  const { device, control, changes, join } = setUp()
  const seat = join("a")
  await seat.standing()
  device.setState({ open: 2 })
  control.deviceChanged()
  await settle()
  expect(seat.fence).toBe("fence-1")
  expect(changes).toEqual(["a gets it"])
})

test("a lease that comes when its client or the tunnel is gone is given back", async () => {
  const { device, control, join } = setUp()
  const arriving = createDeferred<void>()
  const { acquireLease } = device
  device.acquireLease = async (options) => {
    await arriving.promise
    return await acquireLease(options)
  }
  const seat = join("a")
  await settle()
  await seat.leave()
  arriving.resolve()
  await settle()
  await settle()
  expect(device.holder).toBeNull()
  await control.stop()
})

test("stopping gives the lease back", async () => {
  const { device, control, join } = setUp()
  await join("a").standing()
  await control.stop()
  expect(device.holder).toBeNull()
})

test("one that has left is not waited with for a decision", async () => {
  const { join } = setUp()
  const first = join("a")
  await first.standing()
  first.prepareToLeave()
  const second = join("b")
  const standing = second.standing()
  await second.leave()
  expect(await standing).toBe("watches")
})
