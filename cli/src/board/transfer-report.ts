import type { CommandContext } from "../command/context.ts"
import { escapeControls } from "../terminal/escape-controls.ts"
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

  constructor(context: CommandContext, options: { readonly json: boolean; readonly verb: string }) {
    this.#context = context
    this.#options = options
    this.#bar = new ProgressBar(context.stderr, context.clock)
  }

  begin(totalBytes: number): void {
    this.#totalBytes = totalBytes
  }

  /** Of the file that is copied now. */
  update(bytes: number): void {
    // A bar that cannot be drawn is no reason to stop.
    this.#bar.update(this.#doneBytes + bytes, this.#totalBytes).catch(() => {})
  }

  async done(file: Transferred): Promise<void> {
    this.#done.push(file)
    this.#doneBytes += file.bytes
    if (this.#options.json) return
    const { path, bytes, resumedBytes = 0 } = file
    const had = resumedBytes === 0 ? "" : `, of which it had ${resumedBytes}`
    await this.#bar.clear()
    await this.#context.stderr.write(`${this.#options.verb} ${escapeControls(path)}: ${bytes} bytes${had}.\n`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bar.clear()
    if (this.#options.json) await this.#context.stdout.write(`${JSON.stringify(this.#done)}\n`)
  }
}
