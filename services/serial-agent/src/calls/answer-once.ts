import { encodeReply } from "@serialcast/contract"
import type { ManagedDevice } from "../device/device.ts"
import { type AnswerCall, openedDevice } from "./call.ts"

interface Once<T> {
  readonly verb: string
  /** Throws `bad_request`. */
  readonly check: (request: unknown) => T
  /** Does what is asked, and answers the reply's body. */
  readonly act: (device: ManagedDevice, request: T, client: string) => object | Promise<object>
}

/** Answers calls that change something: a repeat, by the same client with the same id, gets the answer of the first. */
export function answerOnce<T extends { readonly id: string }>({ verb, check, act }: Once<T>): AnswerCall {
  return async (call) => {
    const { client, format, send } = call
    const device = openedDevice(call)
    const request = check(call.request)
    const { id } = request
    const key = `${verb} ${client}/${id}`
    let answer = device.answers.find(key)
    if (answer === undefined) {
      answer = (async () => await act(device, request, client))()
      device.answers.add(key, answer)
    }
    send(encodeReply({ id }, await answer, format))
  }
}
