declare module "@micropython/micropython-webassembly-pyscript" {
  import type { MicroPython } from "./emscripten.ts"
  export function loadMicroPython(options: {
    /** In bytes. */
    readonly heapsize: number
    /** In words. */
    readonly pystack: number
  }): Promise<MicroPython>
}
