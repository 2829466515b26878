import { access, readFile } from "node:fs/promises"
import { eventually } from "@serialcast/testkit"
import type { Workplace } from "./workplace.ts"

/** A device that is plugged in. */
export interface PluggedDevice {
  /** What it got so far. */
  received(): Promise<string>
  /** Resolves when its port is gone. */
  unplug(): Promise<void>
}

/**
 * Plugs in a device that sends back what it gets; its port is the link `path`. It is a process of its own: of a terminal
 * that the tests held themselves, every program that they start would hold the other end too.
 */
export async function plugInEcho(place: Workplace, path: string): Promise<PluggedDevice> {
  const record = `${path}-${crypto.randomUUID()}.received`
  const socat = place.start(`socat pty,link=${path},rawer system:'tee ${record}'`)
  await eventually(() => access(path))
  return {
    received: () => readFile(record, "utf8"),
    async unplug() {
      await socat[Symbol.asyncDispose]()
    },
  }
}

/** Lays a cable between two ports, the links `one` and `other`. */
export async function layCable(
  place: Workplace,
  one: string,
  other: string,
): Promise<Pick<PluggedDevice, "unplug">> {
  const socat = place.start(`socat pty,link=${one},rawer pty,link=${other},rawer`)
  await eventually(() => Promise.all([access(one), access(other)]))
  return {
    async unplug() {
      await socat[Symbol.asyncDispose]()
    },
  }
}
