/**
 * Something bounded that clients hold parts of: one alone gets at most three quarters of it, so that there is room for
 * others whatever it does.
 */
export class ClientShares {
  readonly #total: number
  readonly #byClient = new Map<string, number>()
  #held = 0

  constructor(total: number) {
    this.#total = total
  }

  hasRoom(client: string, amount: number): boolean {
    const ofClient = (this.#byClient.get(client) ?? 0) + amount
    return this.#held + amount <= this.#total && ofClient <= this.#total * 0.75
  }

  take(client: string, amount: number): void {
    this.#held += amount
    this.#byClient.set(client, (this.#byClient.get(client) ?? 0) + amount)
  }

  give(client: string, amount: number): void {
    this.#held -= amount
    const left = (this.#byClient.get(client) ?? 0) - amount
    if (left > 0) this.#byClient.set(client, left)
    else this.#byClient.delete(client)
  }
}
