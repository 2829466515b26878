/** ENOENT, EEXIST, ENOTDIR, EISDIR, ENOSPC, ENOTEMPTY: as WASI numbers them, and as boards do. */
const boardErrnos: Readonly<Record<number, number>> = { 44: 2, 20: 17, 54: 20, 31: 21, 51: 28, 55: 39 }

type SystemCall = (...args: readonly unknown[]) => number

/** Of the global object of that name, which the types leave out. */
interface WebAssemblyLike {
  instantiate(source: unknown, imports: Record<string, Record<string, SystemCall>>): Promise<unknown>
}

/** Lets system calls of a WebAssembly module that is loaded from now on fail with the numbers that boards have. */
export function useBoardErrnos(): void {
  // See above.
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyLike }
  const instantiate = WebAssembly.instantiate.bind(WebAssembly)
  WebAssembly.instantiate = (source, imports) => {
    // One object goes by two names.
    for (const calls of new Set(Object.values(imports))) translate(calls)
    return instantiate(source, imports)
  }
}

function translate(calls: Record<string, SystemCall>): void {
  for (const [name, call] of Object.entries(calls)) {
    if (!name.startsWith("__syscall_")) continue
    calls[name] = (...args) => {
      const answer = call(...args)
      return -(boardErrnos[-answer] ?? -answer)
    }
  }
}
