import { AppError } from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import type { PortDriver } from "./port-driver.ts"
import { createRfc2217Driver } from "./rfc2217/rfc2217-driver.ts"
import { createSimMicropython, ringBytesOf } from "./sim/micropython/sim-micropython.ts"
import { createSimDriver } from "./sim/sim-driver.ts"
import { simEcho } from "./sim/sim-echo.ts"
import { simModem } from "./sim/sim-modem.ts"
import { createSimSensor } from "./sim/sim-sensor.ts"
import { createTcpDriver } from "./tcp/tcp-driver.ts"
import { createSerialportDriver } from "./tty/serialport-driver.ts"
import { createTtyDriver } from "./tty/tty-driver.ts"

export interface DriverOptions {
  /** Gets sentences for the log: the port is open, but not quite as it was asked for. */
  readonly onNote?: ((note: string) => void) | undefined
  /** Silences of the device mean something: each of its reads is told at once, whatever that costs. */
  readonly areSilencesTold?: boolean | undefined
}

/** The driver for a port's path or URL. Throws `bad_config` when there is no such driver. */
export function chooseDriver(
  port: string,
  clock: Clock,
  { onNote, areSilencesTold = false }: DriverOptions = {},
): PortDriver {
  if (port.startsWith("/")) {
    const readRestMs = areSilencesTold ? 0 : undefined
    return process.platform === "linux"
      ? createTtyDriver(port, { onNote, readRestMs })
      : createSerialportDriver(port)
  }
  if (/^COM\d+$/i.test(port)) return createSerialportDriver(port)
  if (port.startsWith("tcp://")) return createTcpDriver(port, { clock })
  if (port.startsWith("rfc2217://")) return createRfc2217Driver(port, { clock, onNote })
  const ringBytes = ringBytesOf(port)
  if (ringBytes !== undefined) return createSimDriver(createSimMicropython(ringBytes), clock)
  switch (port) {
    case "sim:echo":
      return createSimDriver(simEcho, clock)
    case "sim:modem":
      return createSimDriver(simModem, clock)
    case "sim:sensor":
      return createSimDriver(createSimSensor(clock), clock)
    default:
      throw new AppError(
        "bad_config",
        `port: expected a path like /dev/ttyUSB0, tcp://host:port, rfc2217://host:port, sim:echo, sim:micropython, sim:modem or sim:sensor; found ${port}`,
      )
  }
}
