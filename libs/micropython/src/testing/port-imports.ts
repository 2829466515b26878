/** ENOENT, EEXIST, ENOTDIR, EISDIR, ENOSPC, ENOTEMPTY: as WASI numbers them, and as boards do. */
const boardErrnos: Readonly<Record<number, number>> = { 44: 2, 20: 17, 54: 20, 31: 21, 51: 28, 55: 39 }

type SystemCall = (...args: readonly unknown[]) => number

/** Of the global object of that name, which the types leave out. */
interface WebAssemblyLike {
  instantiate(source: unknown, imports: Record<string, Record<string, SystemCall>>): Promise<unknown>
}

/**
 * Changes what a MicroPython port of WebAssembly that is loaded from now on gets: its system calls fail with the numbers
 * that boards have, and `onTicks` is called whenever it asks for the time, which it does all through a sleep.
 */
export function adaptImports(onTicks: () => void): void {
  // See above.
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyLike }
  const instantiate = WebAssembly.instantiate.bind(WebAssembly)
  WebAssembly.instantiate = (source, imports) => {
    // One object goes by two names.
    for (const calls of new Set(Object.values(imports))) {
      for (const [name, call] of Object.entries(calls)) calls[name] = adapted(name, call, onTicks)
    }
    return instantiate(source, imports)
  }
}

function adapted(name: string, call: SystemCall, onTicks: () => void): SystemCall {
  if (name === "mp_js_ticks_ms") {
    return () => {
      onTicks()
      return call()
    }
  }
  if (!name.startsWith("__syscall_")) return call
  return (...args) => {
    const answer = call(...args)
    return -(boardErrnos[-answer] ?? -answer)
  }
}
