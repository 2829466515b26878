import type { SimulatedDevice } from "./sim-driver.ts"

/** Sends back what it gets, byte by byte: a loopback plug. */
export const simEcho: SimulatedDevice = {
  async run(wire) {
    for (let bytes = await wire.receive(); bytes !== undefined; bytes = await wire.receive())
      await wire.send(bytes)
  },
}
