/**
 * Where something of the console is, seen from the page: a proxy may serve all of it below a path of its own, so nothing is
 * asked for from the root of a host.
 */
export function pageUrl(path: string): URL {
  return new URL(path, document.baseURI)
}
