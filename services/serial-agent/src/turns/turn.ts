import type { AppError } from "@serialcast/contract"
import type { OpenPort } from "@serialcast/ports"

/** What a write or control says about when it may be done. */
export interface TurnOptions {
  /** The caller's name on the broker; absent: nobody who could ask again, or take it back. */
  readonly client?: string | undefined
  /** How long it may wait for its turn, in milliseconds. Default: 30 s. */
  readonly ttlMs?: number | undefined
  /** Refused as `expired` at another open count. */
  readonly open?: number | undefined
  /** Together with `seq`: its place among what the client does in this session. */
  readonly session?: string | undefined
  readonly seq?: number | undefined
  /** The fence of the lease under which it is done. */
  readonly lease?: string | undefined
}

/** Something to do with an open port: a write or a control. */
export interface Turn extends TurnOptions {
  readonly kind: "write" | "control"
  readonly id: string
  /** Device bytes that it holds until it is over. */
  readonly sizeBytes: number
  /** It does not wait for its turn. */
  readonly isNow?: boolean | undefined
  /**
   * Does it. A write calls `onTaken` when the port took all of it, before it is drained: what follows in its session may
   * begin then. When `signal` is aborted it ends as soon as it can, rejecting with the reason. After a write that rejects
   * with `aborted` nobody knows what is left in the port, and it is closed.
   */
  run(port: OpenPort, signal: AbortSignal, onTaken?: () => void): Promise<void>
  /** It was not done, or not wholly. Called at most once, and never after `run` resolved. */
  refuse(error: AppError): void
}
