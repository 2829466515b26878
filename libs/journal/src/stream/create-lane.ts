import type { StreamRecord } from "@serialcast/contract"
import { type Clock, createBackoff } from "@serialcast/primitives"
import { comparePositions, endOf, type Position, RecordRing, startOf } from "@serialcast/records"
import { StreamFiles, type StreamFilesDeps } from "../disk/stream-files.ts"
import type { StreamEnd } from "../open/recover.ts"
import type { Stage } from "../stage/stage.ts"
import { StreamLane, type StreamLaneDeps } from "./stream-lane.ts"
import { createPace, type PaceOptions } from "./stream-pace.ts"
import { type Batch, StreamState } from "./stream-state.ts"

/** What readers near the head get without the disk, of each stream, in bytes. */
const ringBytes = 512 * 1024
const restMs = { minMs: 1_000, maxMs: 30_000 }

export interface LaneOptions extends PaceOptions {
  /** Where an earlier process left the stream. */
  readonly end: StreamEnd
  readonly stage: Stage | null
}

export type LaneParts = Omit<StreamFilesDeps, "segmentBytes" | "onSynced"> &
  Pick<StreamLaneDeps, "opens" | "onSafe"> & { readonly clock: Clock }

/** One stream of a journal, going on where it was left. */
export function createLane(options: LaneOptions, parts: LaneParts): StreamLane {
  const { segmentBytes, end, stage } = options
  const { clock, opens, onSafe } = parts
  const runs = toRuns(end.staged, end.kept)
  const last = runs.at(-1)
  // The ring has what joins on to the head; what the stage has in front of a hole goes to the files by itself.
  const isAtHead = last !== undefined && comparePositions(last.to, end.shown) === 0
  const ring = new RecordRing(ringBytes, isAtHead ? last.from : end.shown)
  if (isAtHead) {
    ring.hold(last.from)
    for (const record of last.records) ring.append(record)
  }
  const pace = createPace(options)
  const state = new StreamState(
    { ring, kept: ring.start, pace, backoff: createBackoff(restMs) },
    clock.monotonicMs(),
  )
  const onSynced = (position: Position) => state.wasSynced(position)
  const files = new StreamFiles({ ...parts, segmentBytes, onSynced }, end.newest)
  const backlog = isAtHead ? runs.slice(0, -1) : runs
  return new StreamLane({ clock, ring, state, files, stage, opens, backlog, onSafe })
}

/** Records as runs of such that join on. */
function toRuns(records: readonly StreamRecord[], kept: Position): Batch[] {
  const runs: { from: Position; to: Position; records: StreamRecord[] }[] = []
  for (const record of records) {
    const run = runs.at(-1)
    // Bytes say nothing of the marks at their offset.
    const joins =
      run !== undefined &&
      ("mark" in record ? comparePositions(startOf(record), run.to) === 0 : record.offset === run.to.offset)
    if (run !== undefined && joins) {
      run.records.push(record)
      run.to = endOf(record)
    } else {
      // Bytes that follow on marks in the files start behind these.
      const isBehindKept = !("mark" in record) && record.offset === kept.offset
      runs.push({ from: isBehindKept ? kept : startOf(record), to: endOf(record), records: [record] })
    }
  }
  return runs
}
