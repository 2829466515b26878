/** A map that forgets its oldest entry beyond `capacity`: for things remembered as long as is reasonable. */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>()
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)
  }

  set(key: K, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size <= this.#capacity) return
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      return
    }
  }

  /** From the oldest to the newest. */
  entries(): [K, V][] {
    return [...this.#entries]
  }

  delete(key: K): void {
    this.#entries.delete(key)
  }
}
