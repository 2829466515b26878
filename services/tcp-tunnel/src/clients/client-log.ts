import type { Clock } from "@serialcast/primitives"
import { type Logger, RefusalLog } from "@serialcast/service-kit"

export interface ClientEnd {
  /** Says which tunnel and which client it is about. */
  readonly log: Logger
  /** Without its port; undefined: the connection was over before that could be asked. */
  readonly address: string | undefined
  /** Why this side ended it; null: it did not. */
  readonly reason: string | null
  readonly bytes: { readonly fromClient: number; readonly toClient: number; readonly refusedBytes: number }
}

/**
 * What the log says of clients that are not let in and of those that leave. A program that comes again each time it is cut off
 * must not fill it: of alike ends of one address there is a line a minute, with the number of those that were left out.
 */
export class ClientLog {
  readonly #news: RefusalLog

  constructor(clock: Clock) {
    this.#news = new RefusalLog(clock)
  }

  refused({ log, address, reason }: Pick<ClientEnd, "log" | "address" | "reason">): void {
    this.#tell(log, `${address} refused: ${reason}`, { reason }, "a client was refused")
  }

  left({ log, address, reason, bytes }: ClientEnd): void {
    if (reason !== null) {
      const facts = { ...bytes, reason }
      return this.#tell(log, `${address} disconnected: ${reason}`, facts, "a client was disconnected")
    }
    // That not all of it was written is news, whoever ended the connection.
    if (bytes.refusedBytes > 0) this.#tell(log, `${address} left`, bytes, "a client left")
    else log.debug(bytes, "a client left")
  }

  #tell(log: Logger, key: string, facts: object, message: string): void {
    const news = this.#news.next(key)
    if (news === null) log.debug(facts, message)
    else log.info(news.untold > 0 ? { ...facts, ...news } : facts, message)
  }
}
