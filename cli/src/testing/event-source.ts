import { get, type IncomingMessage } from "node:http"

/** What a browser's EventSource sees, which gives up for good on an answer that is no event stream. */
export interface FollowedSource extends Disposable {
  /** The digits of all `bytes` events. */
  readonly hex: string
  /** How often it was answered with a stream. */
  readonly opens: number
  /** Answers on which a browser gives up, and events that tell of something missing. */
  readonly strange: readonly string[]
}

/** Follows an event stream as EventSource does (WHATWG HTML §9.2.3), but comes back at once, so that it meets every moment. */
export function followEvents(url: string): FollowedSource {
  const source = { hex: "", opens: 0, strange: [] as string[], [Symbol.dispose]: leave }
  let lastId = ""
  let isLeaving = false
  let request = connect()
  return source

  function connect() {
    const headers = { Accept: "text/event-stream", ...(lastId === "" ? {} : { "Last-Event-ID": lastId }) }
    const sent = get(url, { headers, agent: false })
    sent.on("response", receive)
    // Refused, reset, or ended without an answer: it comes back.
    sent.on("error", () => {})
    sent.on("close", () => {
      if (!isLeaving) setTimeout(() => (request = connect()), 5)
    })
    return sent
  }

  function receive(response: IncomingMessage): void {
    const { statusCode, headers } = response
    response.on("error", () => {})
    if (statusCode !== 200 || headers["content-type"] !== "text/event-stream") {
      source.strange.push(`answered ${statusCode}`)
      response.resume()
      return
    }
    source.opens++
    let text = ""
    response.setEncoding("utf8").on("data", (part: string) => {
      const blocks = (text + part).split("\n\n")
      text = blocks.pop() ?? ""
      for (const block of blocks) take(block)
    })
  }

  function take(block: string): void {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1]
    const [event, data = ""] = [field("event"), field("data")]
    if (event === "bytes") source.hex += data
    // While the gateway is away nobody reads the port, which it says.
    if (event === "gap" && !data.includes('"reason":"unread"')) source.strange.push(data)
    lastId = field("id") ?? lastId
  }

  function leave(): void {
    isLeaving = true
    request.destroy()
  }
}
