import { after, type Clock, msUntil } from "@serialcast/primitives"
import { StoreUnavailable } from "@serialcast/resources"
import type { Inbox } from "./inbox.ts"
import type { Fetch, Hello } from "./messages.ts"
import { parseLine, parseRecord, type ReplicaRecord, type ReplicaRemoval } from "./record.ts"

export interface JoinDeps {
  readonly clock: Clock
  readonly inbox: Inbox
  readonly newId: () => string
  /** Asks the broker for what it kept of these, by their own names. */
  readonly ask: (uris: readonly string[]) => Promise<void>
  /** On the topic of all. */
  readonly say: (message: Pick<Hello, "kind" | "id"> | Pick<Fetch, "kind" | "id" | "from">) => Promise<void>
  readonly signal: AbortSignal
  /** How long somebody who knows all may take to say so. */
  readonly answerMs: number
}

/** All that one who comes has to know to be like the others. */
export interface Known {
  readonly known: readonly (ReplicaRecord | ReplicaRemoval)[]
  readonly rev: number
  /** What the broker's index has and its topics do not. */
  readonly missing: readonly string[]
  /** Words on topics of resources that are none. */
  readonly unreadable: readonly string[]
  /** The hello that nobody answered in time; null: somebody did. */
  readonly unanswered: string | null
}

const echoMs = 10_000
const partMs = 10_000
const quietMs = 300
const indexMs = 10_000

/**
 * Finds out what the others know: from one of them, who sends what it knew when it heard the hello; what came after the hello
 * is in the inbox. When there is nobody, from what the broker kept, once the index is complete. Throws `StoreUnavailable` when
 * the broker gives no answer, and the signal's reason.
 */
export async function join(deps: JoinDeps): Promise<Known> {
  const { inbox, say, newId, answerMs, signal } = deps
  for (;;) {
    signal.throwIfAborted()
    const id = newId()
    inbox.begin({ kind: "hello", by: "", id })
    await say({ kind: "hello", id })
    if (!(await until(deps, echoMs, () => inbox.buffered !== null)))
      throw new StoreUnavailable("The broker did not bring back what was said.")
    if (await until(deps, answerMs, () => inbox.from !== null)) {
      await say({ kind: "fetch", id, from: inbox.from ?? "" })
      const known = await fetchAll(deps)
      if (known !== null && inbox.buffered !== null) return known
    } else {
      await settle(deps)
      // Whoever is at work without having answered came at the same time: it knows by now.
      if (inbox.isAlone) return gather(inbox, id)
    }
  }
}

async function fetchAll(deps: JoinDeps): Promise<Known | null> {
  const { inbox } = deps
  for (let seen = -1; inbox.answer === null; ) {
    if (seen === inbox.partCount) return null
    seen = inbox.partCount
    await until(deps, partMs, () => inbox.partCount > seen)
  }
  const parts = inbox.answer
  const known = parts.flatMap(({ lines }) => lines.map(parseLine))
  return { known, rev: parts[0]?.rev ?? 0, missing: [], unreadable: [], unanswered: null }
}

/**
 * Waits until the broker has nothing more to bring of what it kept. Some bring nothing to a subscription with wildcards
 * (RabbitMQ): what is missing then is asked for by its name.
 */
async function settle(deps: JoinDeps): Promise<void> {
  const { clock, inbox, ask, signal } = deps
  const endMs = after(clock.monotonicMs(), indexMs)
  let isAsked = false
  while (!signal.aborted && msUntil(clock, endMs) > 0) {
    const waitMs = msUntil(clock, after(inbox.lastWord, quietMs))
    const { missing } = inbox
    if (waitMs <= 0 && missing.length === 0) return
    if (waitMs <= 0 && !isAsked) {
      isAsked = true
      await ask(missing)
      continue
    }
    await inbox.news.wait({ signal, timeout: { clock, ms: waitMs > 0 ? waitMs : msUntil(clock, endMs) } })
  }
}

function gather(inbox: Inbox, unanswered: string): Known {
  const unreadable: string[] = []
  const known = [...inbox.words].flatMap(([uri, text]) => {
    try {
      const { resource, rev } = parseRecord(text, uri, 0)
      return [{ resource, rev: rev ?? 0 }]
    } catch {
      unreadable.push(uri)
      return []
    }
  })
  return { known, rev: 0, missing: inbox.missing, unreadable, unanswered }
}

/** Whether `is` came true in this time. */
async function until({ clock, inbox, signal }: JoinDeps, ms: number, is: () => boolean): Promise<boolean> {
  const endMs = after(clock.monotonicMs(), ms)
  while (!is()) {
    const leftMs = msUntil(clock, endMs)
    if (leftMs <= 0) return false
    await inbox.news.wait({ signal, timeout: { clock, ms: leftMs } })
    signal.throwIfAborted()
  }
  return true
}
