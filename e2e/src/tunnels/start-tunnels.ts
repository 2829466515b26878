import { onTestFinished } from "vitest"
import { type AllInOne, startAllInOne } from "../all-in-one.ts"

export interface Gateway extends AllInOne {
  /** Of the HTTP gateway. */
  deviceUrl(address: string): string
}

/** `serialcast up` with these devices and tunnels, until the test is over. Answers when the devices are online. */
export async function startTunnels(config: string, ...devices: readonly string[]): Promise<Gateway> {
  const all = await startAllInOne(() => config)
  onTestFinished(() => all[Symbol.asyncDispose]())
  for (const device of devices) await all.untilOnline(device)
  return { ...all, deviceUrl: (address) => `${all.httpUrl}/api/v1/devices/${address}` }
}
