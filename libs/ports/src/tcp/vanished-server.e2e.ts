import { systemClock } from "@serialcast/primitives"
import { createFarNetwork, mayHaveFarNetwork } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { defaultSettings } from "../default-settings.ts"
import { errorOf } from "../testing/error-of.ts"
import { PortRecord } from "../testing/port-record.ts"
import { createTcpDriver } from "./tcp-driver.ts"

test.runIf(mayHaveFarNetwork())(
  "a device server that loses its power ends the port, also with bytes on their way to it, which count as drained never",
  async () => {
    using network = createFarNetwork()
    const server = await network.listen()
    const heard = new PortRecord()
    const url = `tcp://${network.farHost}:${server.port}`
    const port = await createTcpDriver(url, { clock: systemClock }).open(defaultSettings, heard)
    await port.write(Uint8Array.of(1))
    await port.drain()
    network.pullCable()
    await port.write(Uint8Array.of(2))
    const drain = errorOf(port.drain())
    expect(await heard.closed).toEqual({ reason: "the device server does not answer any more" })
    expect(await drain).toEqual(new Error("the device server does not answer any more"))
  },
)
