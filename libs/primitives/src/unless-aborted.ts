/**
 * What `work` comes to, or what `onAborted` makes of it as soon as `signal` is aborted; the work itself goes on. Default of
 * `onAborted`: undefined.
 */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined>
export function unlessAborted<T, U>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  onAborted: () => U | Promise<U>,
): Promise<T | U>
export async function unlessAborted(
  work: Promise<unknown>,
  signal: AbortSignal | undefined,
  onAborted: () => unknown = () => undefined,
): Promise<unknown> {
  if (signal === undefined) return await work
  let abort = () => {}
  const aborted = new Promise((resolve) => {
    abort = () => resolve(onAborted())
  })
  signal.addEventListener("abort", abort)
  if (signal.aborted) abort()
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener("abort", abort)
  }
}
