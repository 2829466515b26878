import { type Cursor, formatCursor, formatStartPoint } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"
import { encodeHex } from "@serialcast/primitives"
import { asciiJson } from "../terminal/escape-controls.ts"
import type { Format } from "./format.ts"

/** One event a line, all with `event` and `cursor`: where to go on from after it. */
export class JsonFormat implements Format {
  readonly isAtLineStart = true

  show(event: StreamEvent): string {
    return `${asciiJson(toJson(event))}\n`
  }

  end(): string {
    return ""
  }
}

function toJson(event: StreamEvent): object {
  const { kind, cursor } = event
  const common = { event: kind, cursor: cursor === null ? null : formatCursor(cursor satisfies Cursor) }
  switch (event.kind) {
    case "positioned":
      return common
    case "bytes":
      return { ...common, offset: event.offset, time: timeOf(event), hex: encodeHex(event.bytes) }
    case "mark":
      return { ...common, time: timeOf(event), mark: event.mark }
    case "gap":
      return { ...common, gap: event.gap }
  }
}

function timeOf({ timeUs }: { timeUs: number }): string {
  return formatStartPoint({ kind: "time", timeUs })
}
