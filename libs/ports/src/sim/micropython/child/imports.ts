import { toLinuxError } from "./error-numbers.ts"

type Import = (...args: number[]) => number | undefined

// 64 MiB: what a program leaves behind is not collected while it runs (the build collects at the end of each statement
// alone), so this is what one may use up. A board has less, and says MemoryError as well.
const maxMemoryPages = 1024

/** What a Python program calls that it wants something of JavaScript; of those, which answer by their last argument. */
const javascript = /^(?:call|js_|lookup_attr|store_attr|has_attr|create_promise|proxy_convert_mp_to_js_then)/
const answering =
  /^(?:call|js_get_iter|js_iter_next|js_reflect_construct|js_subscr_load|lookup_attr|proxy_convert_mp_to_js_then)/

/** Of the global object of that name, which the types of Node leave out. */
interface WebAssemblyApi {
  instantiate: (source: Uint8Array, imports: Imports) => Promise<{ readonly instance: Instance }>
  readonly Memory: { readonly prototype: { grow: (this: Memory, pages: number) => number } }
}
type Imports = Record<string, Record<string, Import>>
interface Instance {
  readonly exports: { readonly memory: Memory }
}
interface Memory {
  readonly buffer: ArrayBuffer
}

/**
 * Changes what the interpreter gets of JavaScript when it is instantiated. Its modules `js` and `jsffi` find nothing: who
 * may write to a board would otherwise be able to do whatever this process may. Errors get the numbers of boards.
 */
export function guardImports(): void {
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }
  const { instantiate } = WebAssembly
  WebAssembly.instantiate = async (source, imports) => {
    let memory: Memory | undefined
    // One object goes by two names.
    for (const calls of new Set(Object.values(imports))) {
      guardJavascript(calls, () => memory)
      translateErrors(calls)
    }
    const answer = await instantiate(source, imports)
    ;({ memory } = answer.instance.exports)
    return answer
  }
  boundMemory(WebAssembly)
}

function guardJavascript(calls: Record<string, Import>, memory: () => Memory | undefined): void {
  for (const name of Object.keys(calls).filter((name) => javascript.test(name)))
    calls[name] = (...args: number[]) => {
      const { buffer } = memory() ?? {}
      // Kind 0 is JavaScript's undefined.
      if (answering.test(name) && buffer !== undefined)
        new DataView(buffer).setUint32(args.at(-1) ?? 0, 0, true)
      return name === "js_check_existing" ? -1 : 0
    }
}

function translateErrors(calls: Record<string, Import>): void {
  for (const [name, call] of Object.entries(calls)) {
    if (!/^(?:__syscall_|fd_)/.test(name)) continue
    calls[name] = (...args: number[]) => {
      const answer = call(...args) ?? 0
      if (name.startsWith("fd_")) return toLinuxError(answer)
      return answer < 0 ? -toLinuxError(-answer) : answer
    }
  }
}

function boundMemory({ Memory: { prototype } }: WebAssemblyApi): void {
  const { grow } = prototype
  prototype.grow = function (pages) {
    if (this.buffer.byteLength / 65_536 + pages > maxMemoryPages) throw new RangeError("no more memory")
    return grow.call(this, pages)
  }
}
