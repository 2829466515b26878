import type { BoardFiles } from "../files/board-files.ts"

/**
 * What the board was doing when it was taken: waiting at its prompt, at a line that somebody had begun (given up), running
 * a program (interrupted), or in the raw mode of another tool.
 */
export type Found = "prompt" | "line" | "program" | "raw"

export interface ExecOptions {
  /** How long it may run; the board is interrupted after it. Default: 10 s. */
  readonly timeoutMs?: number
  /** More output is an error, and interrupts the board. Default: 64 KiB. */
  readonly maxOutputBytes?: number
  /** Gets the output while it comes, and holds the reading up; then none is kept, and there may be any amount. */
  readonly onOutput?: (bytes: Uint8Array) => void | Promise<void>
  /** Interrupts the board when aborted; `exec` throws `cancelled`. */
  readonly signal?: AbortSignal
}

export interface ExecResult {
  /** Without what `onOutput` got. Line ends are as the board sends them: CR LF from most. */
  readonly stdout: Uint8Array
  /** The traceback, of the last 16 KiB at most; empty when the code ended well. */
  readonly stderr: string
}

export interface SoftResetOptions {
  /** Let main.py run, as after a power-up: the board is busy with it then. Otherwise the board stays taken. Default: true. */
  readonly runMain?: boolean
}

/**
 * A MicroPython board at its REPL, taken over by one host. One thing at a time: what is asked while something goes on is
 * refused as `overloaded`. After an error it is taken over again by what is asked next.
 */
export interface Board {
  readonly found: Found
  /** Of its firmware, such as `1.27.0`; null when it does not tell. */
  readonly version: string | null
  /** `micropython`, `circuitpython`, …; null when it does not tell. */
  readonly implementation: string | null
  /**
   * Runs code; a traceback is a result, in `stderr`. Output that has a 04 in it is cut there: encode what is binary. Throws
   * `board_timeout`, `too_large`, `cancelled`, `board_busy`, `bad_request`, or what the wire throws.
   */
  exec(code: string, options?: ExecOptions): Promise<ExecResult>
  readonly files: BoardFiles
  /** Restarts the interpreter: what it had in memory is gone. */
  softReset(options?: SoftResetOptions): Promise<void>
  /**
   * Gives the board back at its friendly prompt, and resolves when that was seen; what goes on is interrupted. Nothing is
   * done when it was given back before, and after a soft reset that runs main.py.
   */
  leave(): Promise<void>
}
