import type { Device, DeviceClient, DeviceWriter } from "@serialcast/device-stream"
import { createWakeup } from "@serialcast/primitives"
import { createDeviceState } from "@serialcast/testkit"
import { noDevices } from "./start-test-service.ts"

/** One device, of whose agent nothing is heard any more: what is written has no answer, nor has what is taken back. */
export function createSilentDevice() {
  const written: string[] = []
  const came = createWakeup()
  const writer: Partial<DeviceWriter> = {
    async write(bytes) {
      written.push(new TextDecoder().decode(bytes))
      came.wake()
    },
    flush: () => new Promise(() => {}),
    [Symbol.asyncDispose]: () => new Promise(() => {}),
  }
  const device = {
    async *read({ signal }: { readonly signal: AbortSignal }) {
      yield { kind: "positioned", cursor: { epoch: "00000000000000aa", offset: 0, mark: 0 } } as const
      await createWakeup().wait({ signal })
    },
    // No others are called.
    openWriter: () => writer as DeviceWriter,
  }
  const devices: DeviceClient = {
    ...noDevices,
    devices: { ...noDevices.devices, get: () => createDeviceState() },
    device: () => device as unknown as Device,
  }
  const untilWritten = async () => {
    while (written.length === 0) await came.wait()
  }
  return { devices, untilWritten }
}
