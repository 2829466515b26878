/** Hands bytes to the user as a download, under the last part of a path. */
export function saveFile(path: string, bytes: Uint8Array): void {
  // Made by this page on a plain buffer, never on a shared one.
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]))
  const link = document.createElement("a")
  link.href = url
  link.download = path.split("/").at(-1) ?? path
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
