export interface ReadEvent {
  readonly event: string
  readonly data: string
  readonly id: string | undefined
}

/** Reads server-sent events one by one, as the WHATWG HTML standard parses them (§9.2.6), until `signal` is aborted. */
export async function* readEvents(
  url: string,
  init: RequestInit & { signal: AbortSignal },
): AsyncGenerator<ReadEvent> {
  const response = await fetch(url, init)
  if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`)
  let text = ""
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + part).split("\n\n")
    text = blocks.pop() ?? ""
    for (const block of blocks) {
      const fields = new Map(
        block.split("\n").map((line) => [line.split(":", 1).join(""), line.replace(/^[^:]*: ?/, "")]),
      )
      const data = fields.get("data")
      if (data !== undefined) yield { event: fields.get("event") ?? "message", data, id: fields.get("id") }
    }
  }
}
