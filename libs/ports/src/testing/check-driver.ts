import { eventually } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { defaultSettings } from "../default-settings.ts"
import type { OpenPort, PortDriver } from "../port-driver.ts"
import { errorOf } from "./error-of.ts"
import { PortRecord } from "./port-record.ts"

/** A driver with a device at the far end of its port. */
export interface DriverRig extends AsyncDisposable {
  readonly driver: PortDriver
  /** The next `count` bytes that the device gets from the port. */
  deviceReads(count: number): Promise<Uint8Array>
  deviceWrites(bytes: Uint8Array): Promise<void>
  /** Lets the rig's time go by until `work` is done. */
  passTime<T>(work: Promise<T>): Promise<T>
  /** More bytes than the port takes while the device does not read and no time goes by. */
  readonly tooManyBytes: number
}

const allValues = Uint8Array.from({ length: 1024 }, (_, at) => at)

type Run = (port: OpenPort, heard: PortRecord, rig: DriverRig) => Promise<void>

const promises: Readonly<Record<string, Run>> = {
  async "all byte values get through to the device, and the write is over when the driver took them"(
    port,
    _heard,
    rig,
  ) {
    await rig.passTime(port.write(allValues))
    await rig.passTime(port.drain())
    expect(await rig.passTime(rig.deviceReads(allValues.byteLength))).toEqual(allValues)
  },

  async "all byte values get through from the device, in order"(_port, heard, rig) {
    await rig.passTime(rig.deviceWrites(allValues))
    await rig.passTime(eventually(() => expect(heard.bytes.byteLength).toBe(allValues.byteLength)))
    expect(heard.bytes).toEqual(allValues)
  },

  async "an empty write is done at once"(port) {
    await port.write(new Uint8Array(0))
  },

  async "close tells so once, before it is done, however often it is called"(port, heard) {
    await Promise.all([port.close(), port.close()])
    expect(heard.closes).toEqual([{ reason: "closed by the agent" }])
    await port.close()
    expect(heard.closes).toHaveLength(1)
  },

  async "a closed port takes no call"(port) {
    await port.close()
    const calls = [
      port.write(allValues),
      port.drain(),
      port.configure(defaultSettings),
      port.signal({ dtr: false }),
      port.readLines(),
      port.purge(),
    ]
    for (const call of calls) await expect(call).rejects.toThrow(/closed/)
  },

  async "settings made anew lose nothing of what the device sends meanwhile"(port, heard, rig) {
    const sent = rig.deviceWrites(allValues)
    await rig.passTime(Promise.all([sent, port.configure(defaultSettings)]))
    await rig.passTime(eventually(() => expect(heard.bytes.byteLength).toBe(allValues.byteLength)))
    expect(heard.bytes).toEqual(allValues)
  },

  async "a port that took all of its settings says which it has"(port) {
    expect(port.settings).toEqual(defaultSettings)
    await port.configure(defaultSettings)
    expect(port.settings).toEqual(defaultSettings)
  },

  async "a port without modem lines says so whenever it is asked"(port) {
    const lines = await port.readLines()
    if (lines !== null) return expect(lines).toMatchObject({ dtr: true, rts: true })
    expect(await port.readLines()).toBeNull()
    await expect(port.signal({ dtr: false })).rejects.toMatchObject({ code: "no_modem_lines" })
  },

  async "closing the port rejects the write that waits"(port, _heard, rig) {
    const write = port.write(new Uint8Array(rig.tooManyBytes).fill(0x55))
    const problem = errorOf(write)
    await port.close()
    expect(String(await problem)).toMatch(/closed/)
  },

  async "a port that was closed can be opened again, and is a new one"(first, heard, rig) {
    await first.close()
    const heardLater = new PortRecord()
    const second = await rig.driver.open(defaultSettings, heardLater)
    await expect(first.write(allValues)).rejects.toThrow()
    await rig.passTime(second.write(Uint8Array.of(7)))
    expect(await rig.passTime(rig.deviceReads(1))).toEqual(Uint8Array.of(7))
    await second.close()
    expect([heard.closes.length, heardLater.closes.length]).toEqual([1, 1])
  },
}

/** Tests what every driver promises. */
export function checkDriver(openRig: () => Promise<DriverRig>): void {
  test.each(Object.entries(promises))("%s", async (_title, run) => {
    await using rig = await openRig()
    const heard = new PortRecord()
    const port = await rig.driver.open(defaultSettings, heard)
    await run(port, heard, rig)
    await port.close()
  })
}
