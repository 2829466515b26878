/**
 * `drain`, run once at a time: on a port whose output flow control holds, each run holds a thread of the process's pool for
 * as long. Whoever asks while one runs shares the next, as what was written meanwhile may not be part of the first.
 */
export function shareDrain(drain: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null
  let next: Promise<void> | null = null
  return () => {
    if (running === null) return start()
    next ??= running.then(start, start)
    return next
  }

  function start(): Promise<void> {
    next = null
    running = drain().finally(() => {
      if (next === null) running = null
    })
    return running
  }
}
