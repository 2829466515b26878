import { AppError } from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import type { PortDriver } from "./port-driver.ts"
import { createSimDriver } from "./sim-driver.ts"
import { simEcho } from "./sim-echo.ts"
import { createSimSensor } from "./sim-sensor.ts"
import { createTtyDriver } from "./tty-driver.ts"

/** The driver for a port's path or URL. Throws `bad_config` when there is none. */
export function chooseDriver(port: string, clock: Clock): PortDriver {
  if (port.startsWith("/") || /^COM\d+$/i.test(port)) return createTtyDriver(port, { clock })
  switch (port) {
    case "sim:echo":
      return createSimDriver(simEcho, clock)
    case "sim:sensor":
      return createSimDriver(createSimSensor(clock), clock)
    default:
      throw new AppError(
        "bad_config",
        `port: expected a path like /dev/ttyUSB0, sim:echo or sim:sensor; found ${port}`,
      )
  }
}
