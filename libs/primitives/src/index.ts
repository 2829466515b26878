export { type Backoff, type BackoffOptions, createBackoff } from "./backoff.ts"
export { BoundedMap } from "./bounded-map.ts"
export { type ByteAccount, ByteBudget, type ByteBudgetOptions } from "./byte-budget.ts"
export { ByteQueue } from "./byte-queue.ts"
export { concatBytes } from "./bytes.ts"
export { type Clock, systemClock, type Timer } from "./clock.ts"
export { type Deadline, withDeadline, within } from "./deadline.ts"
export { createDeferred, type Deferred } from "./deferred.ts"
export { delay } from "./delay.ts"
export { Gate, type GateOptions } from "./gate.ts"
export { decodeHex, encodeHex } from "./hex.ts"
export { incompleteTail } from "./incomplete-tail.ts"
export { LoopTurns } from "./loop-turns.ts"
export { after, earliest, latest, longAgo, msSince, msUntil, never } from "./monotonic.ts"
export {
  answerBytes,
  chunkJoinUs,
  maxJoinedChunks,
  messageGatherMs,
  receiptRestMs,
  wakeMsForEachReader,
} from "./pacing.ts"
export { shareRuns } from "./share-runs.ts"
export { TakenAtOnce } from "./taken-at-once.ts"
export type { MonotonicMs, WallMs, WallUs } from "./time-kinds.ts"
export { unlessAborted } from "./unless-aborted.ts"
export { createWaiter, type Waiter } from "./waiter.ts"
export { createWakeup, type WaitEnd, type WaitLimits, type Wakeup } from "./wakeup.ts"
export { createWatchdog, type Watchdog, type WatchdogOptions } from "./watchdog.ts"
