/** What is done sooner needs no word. */
const patienceMs = 500

/**
 * @typedef {object} Words
 * @property {string} doing
 * @property {string} done
 */

/**
 * Does `work`, and says so when it takes longer than a moment.
 *
 * @param {Words} words
 * @param {() => Promise<void>} work
 * @param {(line: string) => void} [say] By default to standard error.
 */
export async function step({ doing, done }, work, say = (line) => void process.stderr.write(`${line}\n`)) {
  const startMs = performance.now()
  let isTold = false
  const telling = setTimeout(() => {
    isTold = true
    say(`${doing} …`)
  }, patienceMs)
  try {
    await work()
  } finally {
    clearTimeout(telling)
  }
  if (isTold) say(`${done} in ${((performance.now() - startMs) / 1_000).toFixed(1)} s.`)
}
