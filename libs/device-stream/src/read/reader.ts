/*
 *   live window ─┐
 *                ├─→ Resume: deliver, ask, wait or pause ─→ for await (const event of readStream())
 *   journal page ┘
 */
import { AppError, type ErrorCode, type StartPoint, type StreamName } from "@serialcast/contract"
import { type Clock, createWaiter, unlessAborted, withDeadline } from "@serialcast/primitives"
import type { Feed } from "./feed.ts"
import type { Page } from "./page.ts"
import { Resume, type Step } from "./resume.ts"
import type { QuietEvent, StreamEvent } from "./stream-event.ts"

export interface ReaderOptions {
  /** Begins the visit to what is read. Throws when there is no such device. */
  readonly visit: () => Visit
  readonly stream: StreamName
  readonly from: StartPoint
  /** Tells that nothing more was read, too. */
  readonly tellsQuiet: boolean
  readonly signal: AbortSignal
  readonly clock: Clock
}

/** Disposing it ends it. */
export interface Visit extends Disposable {
  readonly feed: Feed
  /** It is known that no agent would answer now. */
  readonly isAway: boolean
}

/** Reads a stream from a start point until `signal` is aborted. Throws `bad_cursor` when there is no such place. */
export async function* readStream(
  options: ReaderOptions,
): AsyncGenerator<StreamEvent | QuietEvent, void, undefined> {
  const { stream, from, tellsQuiet, signal, clock } = options
  using visit = options.visit()
  const { feed, isAway } = visit
  const { window, news } = feed.live[stream]
  using waiter = createWaiter(news, { clock, signal })
  const resume = new Resume(from)
  if (isAway) resume.answered(null)
  /** What was told of quiet since the last delivery; undefined: nothing. */
  let quietUs: number | null | undefined
  while (!signal.aborted) {
    const step = resume.next(window.view)
    switch (step.kind) {
      case "deliver":
        quietUs = undefined
        for (const event of step.events) {
          if (signal.aborted) return
          yield event
        }
        break
      case "ask": {
        const page = await unlessAborted(tryPage({ feed, stream, clock }, step), signal)
        if (page !== undefined) resume.answered(page)
        break
      }
      case "wait":
        if (tellsQuiet && step.quietUs !== quietUs) {
          quietUs = step.quietUs
          yield { kind: "quiet", timeUs: quietUs }
          break
        }
        resume.resumed((await waiter.wait(step.timeoutMs)) === "timeout")
        break
      case "pause":
        await feed.agentBack.wait({ signal, timeout: { clock, ms: step.ms } })
        resume.resumed(false)
        break
    }
  }
}

/** What asking again does not mend. */
const finalCodes: ReadonlySet<ErrorCode> = new Set([
  "bad_cursor",
  "bad_request",
  "bad_message",
  "unauthorized",
  "unsupported",
])

/** null when the agent does not answer now, or in time; that is no reason to stop reading. */
async function tryPage(
  { feed, stream, clock }: { feed: Feed; stream: StreamName; clock: Clock },
  { from, timeoutMs }: Extract<Step, { kind: "ask" }>,
): Promise<Page | null> {
  // Live messages first, so that nothing falls between the page and them.
  const page = feed.ready.then(() => feed.history.page(stream, from))
  try {
    if (timeoutMs === null) return await page
    const error = () => new AppError("no_reply", `The agent did not answer within ${timeoutMs} ms.`)
    return await withDeadline(page, { clock, timeoutMs, error })
  } catch (error) {
    if (error instanceof AppError && !finalCodes.has(error.code)) return null
    throw error
  }
}
