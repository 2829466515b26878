/** A function whose end comes later: what is told before is told then. */
export class Redirect<Args extends unknown[]> {
  #target: ((...args: Args) => void) | null = null
  #early: Args[] = []

  readonly call = (...args: Args): void => {
    if (this.#target === null) this.#early.push(args)
    else this.#target(...args)
  }

  use(target: (...args: Args) => void): void {
    this.#target = target
    for (const args of this.#early.splice(0)) target(...args)
  }
}
