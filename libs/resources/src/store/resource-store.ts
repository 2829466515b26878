import type { Change, Outcome } from "../table/command.ts"
import type { Resource } from "../table/resource.ts"

/**
 * Where resources are: in this process, or in a broker that several gateways share. Every call throws `StoreUnavailable` when
 * the store cannot answer it.
 */
export interface ResourceStore {
  /** All of them. */
  readonly size: number
  /** From memory, at once. */
  get(uri: string): Resource | undefined
  /** Those whose uri begins with the text `prefix` (default: all), in the order of insertion. */
  list(prefix?: string): readonly Resource[]
  /**
   * What became of `change`, once whoever asks afterwards finds it so; within a deadline of its own. Throws `bad_argument` for one
   * that is not well formed, and the reason of `signal` when that is aborted before.
   */
  apply(change: Change, signal?: AbortSignal): Promise<Outcome>
}
