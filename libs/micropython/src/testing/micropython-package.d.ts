/** What the package does not tell of itself. */
declare module "@micropython/micropython-webassembly-pyscript" {
  export function loadMicroPython(options: {
    readonly heapsize?: number
    readonly linebuffer?: boolean
    readonly stdout?: (bytes: Uint8Array) => void
  }): Promise<unknown>
}
