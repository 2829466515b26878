/** A uri as it stands in a request target or in `Location`: `parseTarget` has it back. */
export function encodeUri(uri: string): string {
  return uri.split("/").map(encodeURIComponent).join("/")
}
