/**
 * Answers `work` for many who ask for it: it runs once at a time, and all who ask during one run share the next. What
 * somebody asks for is begun after it was asked for.
 */
export function shareRuns<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | null = null
  let next: Promise<T> | null = null

  function run(): Promise<T> {
    next = null
    const current = work().finally(() => {
      running = null
    })
    running = current
    return current
  }

  return () => {
    if (next !== null) return next
    if (running === null) return run()
    next = running.then(run, run)
    return next
  }
}
