import { whyNotUri } from "../uri/canonical-uri.ts"

const firstNumber = 10_000
/** All numbers of five digits: the original's range without its hole at the end. */
const childNumbers = 90_000

/**
 * The first free uri of five digits below `parent`, counted round from where `seed` says; undefined: none is left, or the
 * uri would be too long. As many are looked at as are taken, at most.
 */
export function freeChildUri(
  parent: string,
  seed: number,
  isTaken: (uri: string) => boolean,
): string | undefined {
  const base = parent === "/" ? "/" : `${parent}/`
  if (whyNotUri(`${base}${firstNumber}`) !== undefined) return undefined
  for (let step = 0; step < childNumbers; step++) {
    const uri = `${base}${firstNumber + ((seed + step) % childNumbers)}`
    if (!isTaken(uri)) return uri
  }
  return undefined
}
