import type { CommandContext } from "../command/context.ts"
import { asciiJson, escapeName } from "../terminal/escape-controls.ts"
import { ProgressBar } from "../terminal/progress-bar.ts"

export interface Transferred {
  readonly path: string
  readonly bytes: number
  /** How many of them were there from an earlier try. */
  readonly resumedBytes?: number
  readonly hash?: string
}

/** Tells how far the copying of files is, and each that is done in a line, or all at the end as JSON. */
export class TransferReport implements AsyncDisposable {
  readonly #context: CommandContext
  readonly #options: { readonly json: boolean; readonly verb: string }
  readonly #bar: ProgressBar
  readonly #done: Transferred[] = []
  #totalBytes: number | null = null
  #doneBytes = 0
  #current: { readonly path: string; readonly size: number; readonly fate: string; bytes: number } | null =
    null

  constructor(context: CommandContext, options: { readonly json: boolean; readonly verb: string }) {
    this.#context = context
    this.#options = options
    this.#bar = new ProgressBar(context.stderr, context.clock)
  }

  begin(totalBytes: number): void {
    this.#totalBytes = totalBytes
  }

  /** The file that is copied from now on; `fate`: what becomes of its copy when that ends in its middle. */
  next(path: string, size: number, fate = "was left as it was"): void {
    this.#current = { path, size, fate, bytes: 0 }
  }

  /** So much of it. */
  update(bytes: number): void {
    if (this.#current !== null) this.#current.bytes = bytes
    // A bar that cannot be drawn is no reason to stop.
    this.#bar.update(this.#doneBytes + bytes, this.#totalBytes).catch(() => {})
  }

  async done(file: Transferred): Promise<void> {
    this.#done.push(file)
    this.#current = null
    this.#doneBytes += file.bytes
    if (this.#options.json) return
    const { path, bytes, resumedBytes = 0 } = file
    const had = resumedBytes === 0 ? "" : `, of which it had ${resumedBytes}`
    await this.#bar.clear()
    await this.#context.stderr.write(`${this.#options.verb} ${escapeName(path)}: ${bytes} bytes${had}.\n`)
  }

  /** What there is to say when the copying ends in its middle. */
  interrupted(): string {
    const copied = this.#done.length === 1 ? "1 file was copied" : `${this.#done.length} files were copied`
    if (this.#current === null) return copied
    const { path, size, fate, bytes } = this.#current
    return `${copied}; ${escapeName(path)} ${fate}, after ${bytes} of ${size} bytes`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bar.clear()
    if (this.#options.json) await this.#context.stdout.write(`${asciiJson(this.#done)}\n`)
  }
}
