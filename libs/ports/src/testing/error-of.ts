/** What `work` is rejected with; undefined when it is not. To be called at once: an unheard rejection ends the test. */
export async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => undefined,
    (error: unknown) => error,
  )
}
