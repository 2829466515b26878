import { parseStartPoint, toAppError } from "@serialcast/contract"
import type { DeviceClient } from "../device-client.ts"
import type { StreamEvent } from "../read/stream-event.ts"

/** A reader that runs until it is stopped. For tests. */
export class TestReader {
  readonly events: StreamEvent[] = []
  readonly ended: Promise<string>
  readonly #leaving = new AbortController()

  constructor(client: DeviceClient, from: string, address = "local/uno") {
    this.ended = this.#run(client, from, address)
  }

  /** What came: bytes as they are, other events in brackets. */
  get text(): string {
    return this.events
      .map((event) => (event.kind === "bytes" ? Buffer.from(event.bytes).toString() : `[${event.kind}]`))
      .join("")
  }

  async stop(): Promise<string> {
    this.#leaving.abort()
    return await this.ended
  }

  /** Answers the code of the error that ended it, or "done". */
  async #run(client: DeviceClient, from: string, address: string): Promise<string> {
    try {
      const options = { from: parseStartPoint(from), signal: this.#leaving.signal }
      for await (const event of client.device(address).read(options)) this.events.push(event)
      return "done"
    } catch (error) {
      return toAppError(error).code
    }
  }
}
