import { type Clock, delay } from "@serialcast/primitives"
import type { SimulatedDevice } from "./sim-driver.ts"

const periodMs = 1_000

/** Prints a line of `name:value` pairs each second, as plotters like them: a slow wave, a slower one, and uptime. */
export function createSimSensor(clock: Clock): SimulatedDevice {
  return {
    async run(wire, signal) {
      const encoder = new TextEncoder()
      for (let second = 0; !signal.aborted; second++) {
        const temperature = 21 + 3 * Math.sin(second / 30)
        const humidity = 45 + 10 * Math.sin(second / 97)
        const line = `temperature:${temperature.toFixed(2)} humidity:${humidity.toFixed(1)} uptime:${second}\r\n`
        await wire.send(encoder.encode(line))
        await delay(clock, periodMs, signal)
      }
    },
  }
}
