import { AppError, type PortSettings } from "@serialcast/contract"
import type { Journal } from "@serialcast/journal"
import type { OpenPort } from "@serialcast/ports"
import { type Clock, receiptRestMs } from "@serialcast/primitives"
import { PortControls } from "../controls/port-controls.ts"
import { WriteLease } from "../leases/write-lease.ts"
import { Answers } from "../turns/answers.ts"
import { TurnQueue } from "../turns/turn-queue.ts"
import { HoldWatch } from "../writes/hold-watch.ts"
import { noPacing, type Pacing } from "../writes/pacing.ts"
import { PartAssembly } from "../writes/part-assembly.ts"
import { WriteQueue } from "../writes/write-queue.ts"

export interface CalleesOptions {
  readonly settings: PortSettings
  /** Of writes that do not say their own. Default: none. */
  readonly pacing?: Pacing | undefined
  /** A port that takes nothing for longer is opened anew, in milliseconds. Default: null, flow control may hold it for ever. */
  readonly holdLimitMs?: number | null | undefined
}

export interface CalleesDeps {
  readonly journal: Journal
  readonly clock: Clock
  readonly onChange: () => void
}

/** What calls to one device are answered by. */
export interface Callees {
  readonly writes: WriteQueue
  readonly parts: PartAssembly
  readonly controls: PortControls
  readonly lease: WriteLease
  /** To calls that change something other than by writing: a repeat gets the same. */
  readonly answers: Answers<object>
}

/** The same with a port under them, from time to time. */
export interface PortCallees extends Callees {
  /** When the port began to take nothing, as an RFC 3339 time; null while it takes bytes, or has none to take. */
  readonly heldSince: string | null
  readonly attach: (port: OpenPort, open: number) => void
  readonly detach: () => void
}

export function createCallees(
  { settings, pacing = noPacing, holdLimitMs = null }: CalleesOptions,
  deps: CalleesDeps,
): PortCallees {
  const { journal, clock, onChange } = deps
  const lease = new WriteLease(deps)
  const turns = new TurnQueue({ clock, lease, openedBefore: journal.opens })
  const controls = new PortControls({ ...deps, turns, lease, settings })
  const byteMs = () => byteMsOf(controls.settings)
  let heldSince: string | null = null
  const hold = new HoldWatch(clock, {
    limitMs: holdLimitMs,
    onHeld() {
      heldSince = new Date(clock.nowMs()).toISOString()
      journal.mark("tx", { kind: "held" })
      onChange()
    },
    onResumed(isOver) {
      heldSince = null
      if (isOver) journal.mark("tx", { kind: "resumed" })
      onChange()
    },
  })
  const writes = new WriteQueue({ turns, journal, clock, hold, pacing, byteMs, restMs: receiptRestMs })
  const parts = new PartAssembly(clock)
  return {
    writes,
    parts,
    controls,
    lease,
    answers: new Answers(),
    get heldSince() {
      return heldSince
    },
    attach(port, open) {
      expireParts()
      turns.attach(port, open)
      controls.attach(port)
    },
    detach() {
      turns.detach()
      controls.detach()
      expireParts()
    },
  }

  /** The rest of a write must not follow on another open of the port, which may be another device. */
  function expireParts(): void {
    for (const unfinished of parts.clear()) {
      const error = new AppError("expired", "The device went away before it came whole.")
      // Whoever sends the rest is told.
      writes.refuse(unfinished, error).catch(() => {})
    }
  }
}

const startBits = 1

/** How long a byte is on the wire, in milliseconds. */
function byteMsOf({ dataBits, parity, stopBits, baudRate }: PortSettings): number {
  return ((startBits + dataBits + (parity === "none" ? 0 : 1) + stopBits) * 1000) / baudRate
}
