/** Lines that no input may cause, whatever it is. */
const fault = /"level":"(error|fatal)"|"internal"|UnhandledPromise|uncaughtException/
const maxQuoted = 5

/** Counts the lines of a log, and keeps those that tell of a fault. */
export class LogWatch {
  readonly #faults: string[] = []
  readonly #byMessage = new Map<string, number>()
  #lines = 0

  /** How many there have been. */
  get lines(): number {
    return this.#lines
  }

  take(line: string): void {
    this.#lines++
    const [, message = line] = /"msg":"([^":]*)/.exec(line) ?? []
    const [, reason] = /"reason":"([^"]*)/.exec(line) ?? []
    const said = reason === undefined ? message : `${message}: ${reason}`
    this.#byMessage.set(said, (this.#byMessage.get(said) ?? 0) + 1)
    if (fault.test(line) && this.#faults.length < maxQuoted) this.#faults.push(line)
  }

  /** What was said since the last call: how often, and how it begins. */
  takeMessages(): string {
    const messages = [...this.#byMessage].map(([message, count]) => `${count} × ${message.slice(0, 200)}`)
    this.#byMessage.clear()
    return messages.join("; ")
  }

  /** Throws what was wrong. */
  check(): void {
    if (this.#faults.length > 0) throw new Error(`in the log: ${this.#faults.join("\n")}`)
  }
}
