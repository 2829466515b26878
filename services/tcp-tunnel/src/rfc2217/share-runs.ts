/**
 * Answers `work` for many who ask for it: it runs once at a time, and all who ask during one run share the next. What
 * somebody asks for is begun after it was asked for.
 */
export function shareRuns(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null
  let next: Promise<void> | null = null

  function run(): Promise<void> {
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
