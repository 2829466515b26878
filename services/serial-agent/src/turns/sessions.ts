import { AppError, maxSessionBytes } from "@serialcast/contract"
import { type Clock, longAgo, type MonotonicMs, msSince } from "@serialcast/primitives"
import { ClientShares } from "./client-shares.ts"

// Enough for every client of a box at once; a session costs some hundred bytes.
const maxSessions = 1_024
const idleMs = 600_000

/** A place in a sequence. */
export interface Place {
  /** Names the session: its client, a slash, and its own name. */
  readonly session: string
  /** Counts from 0. */
  readonly seq: number
  readonly sizeBytes: number
}

interface Session<T> {
  /** The first place that was not handed out. */
  next: number
  /** From here on everything is refused. */
  brokenFrom: number
  sizeBytes: number
  /** What came and is not over, by place. */
  readonly members: Map<number, T>
  usedMs: MonotonicMs
}

/**
 * Puts what belongs to sessions in order, whatever order it came in, and refuses what comes after something refused.
 * Bounded in bytes for each session (`maxSessionBytes`), and in sessions: the one that was silent for longest is
 * forgotten for a new one, or after 10 minutes. What comes later of a forgotten one is taken for early, and refused then.
 */
export class Sessions<T> {
  readonly #clock: Clock
  /** The one that was used last is last. */
  readonly #sessions = new Map<string, Session<T>>()
  readonly #shares = new ClientShares(maxSessions)
  /** It stands at the end already: an engine makes a table anew for each entry that is put there again. */
  #last: { readonly name: string; readonly session: Session<T> } | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Why there is no place for it; null when there is. */
  whyNot({ session: name, seq, sizeBytes }: Place): AppError | null {
    const session = this.#use(name)
    if (session === undefined) {
      const message = `No room for more: ${maxSessions} sessions of a device may be in use, of one client three quarters of them.`
      return new AppError("overloaded", message)
    }
    if (seq >= session.brokenFrom) return afterRefusal(session.brokenFrom)
    if (isTaken(session, seq)) {
      return new AppError("out_of_order", `Place ${seq} of the session was given to another call.`)
    }
    if (session.sizeBytes + sizeBytes > maxSessionBytes) {
      return new AppError("overloaded", `A session holds at most ${maxSessionBytes} bytes without receipt.`)
    }
    return null
  }

  /** Takes it in, after `whyNot` had no reason. Answers those whose turn has come with it, in order. */
  enter({ session: name, seq, sizeBytes }: Place, member: T): readonly T[] {
    const session = this.#use(name)
    if (session === undefined) return []
    session.members.set(seq, member)
    session.sizeBytes += sizeBytes
    const ready: T[] = []
    for (;;) {
      const following = session.members.get(session.next)
      if (following === undefined) return ready
      ready.push(following)
      session.next++
    }
  }

  /** It is over. When it was refused, answers those that are to be refused with it, in order. */
  leave({ session: name, seq, sizeBytes }: Place, member: T, isRefused: boolean): readonly T[] {
    const session = this.#use(name)
    if (session === undefined) return []
    const wasIn = session.members.get(seq) === member
    // A stranger at a place that is taken breaks nothing.
    if (!wasIn && isTaken(session, seq)) return []
    if (wasIn) {
      session.members.delete(seq)
      session.sizeBytes -= sizeBytes
    }
    if (!isRefused) return []
    session.brokenFrom = Math.min(session.brokenFrom, seq)
    return [...session.members]
      .filter(([place]) => place > seq)
      .sort(([a], [b]) => a - b)
      .map(([, later]) => later)
  }

  /** The session, made when it is new; undefined when all there may be are in use. */
  #use(name: string): Session<T> | undefined {
    if (this.#last?.name === name) {
      this.#last.session.usedMs = this.#clock.monotonicMs()
      return this.#last.session
    }
    const known = this.#sessions.get(name)
    if (known === undefined && !this.#makeRoom(clientOf(name))) return undefined
    if (known !== undefined) this.#sessions.delete(name)
    else this.#shares.take(clientOf(name), 1)
    const session = known ?? createSession<T>()
    session.usedMs = this.#clock.monotonicMs()
    this.#sessions.set(name, session)
    this.#last = { name, session }
    return session
  }

  /** Forgets what is old, and for this client's sake what is in no use: its own, when only its share is full. */
  #makeRoom(client: string): boolean {
    for (const [name, { members, usedMs }] of this.#sessions) {
      const isOld = msSince(this.#clock, usedMs) >= idleMs
      if (!isOld && this.#shares.hasRoom(client, 1)) return true
      const isToGo = isOld || clientOf(name) === client || this.#sessions.size >= maxSessions
      if (members.size > 0 || !isToGo) continue
      this.#sessions.delete(name)
      this.#shares.give(clientOf(name), 1)
      if (this.#last?.name === name) this.#last = null
    }
    return this.#shares.hasRoom(client, 1)
  }
}

function clientOf(name: string): string {
  return name.slice(0, name.indexOf("/"))
}

function createSession<T>(): Session<T> {
  return { next: 0, brokenFrom: Number.POSITIVE_INFINITY, sizeBytes: 0, members: new Map(), usedMs: longAgo }
}

function isTaken<T>({ next, members }: Session<T>, seq: number): boolean {
  return seq < next || members.has(seq)
}

function afterRefusal(brokenFrom: number): AppError {
  return new AppError(
    "out_of_order",
    `Place ${brokenFrom} of the session was refused, so what follows is too.`,
  )
}
