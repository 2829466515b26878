import { AppError, type Payload, type PayloadFormat } from "@serialcast/contract"
import type { Journal } from "@serialcast/journal"
import type { ManagedDevice } from "../device/device.ts"

/** One call on its way through: what it asks of which device, for whom, and how it is answered. */
export interface Call {
  /** Absent when the device is only shown. */
  readonly device: ManagedDevice | undefined
  readonly journal: Journal
  readonly client: string
  /** As it was decoded. */
  readonly request: unknown
  /** The caller is in this process, and is handed the reply. */
  readonly isHanded: boolean
  /** `request` is what its schema would make of it. */
  readonly isChecked: boolean
  readonly format: PayloadFormat
  /** Sends a reply as it was encoded for this client, or will be. */
  readonly send: (reply: Payload) => void
}

/** Answers one kind of call. What it throws is sent as the refusal. */
export type AnswerCall = (call: Call) => Promise<void>

/** Throws `device_offline` when the device is only shown. */
export function openedDevice({ device }: Pick<Call, "device">): ManagedDevice {
  if (device === undefined) throw new AppError("device_offline", "This device is shown, but not opened.")
  return device
}
