/** Throws when there are more bytes than were sent: some came twice. */
export function expectBytes({ bytes }: { readonly bytes: number }, sent: number): void {
  if (bytes !== sent) throw new Error(`expected ${sent} bytes in all, found ${bytes}`)
}
