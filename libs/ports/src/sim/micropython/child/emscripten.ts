/** What we use of the file system of Emscripten, in which the interpreter's files are. */
export interface FileSystem {
  readonly ErrnoError: new (errno: number) => Error
  readonly filesystems: {
    readonly MEMFS: { readonly ops_table: { readonly file: { readonly stream: StreamOps } } }
  }
  getStream(descriptor: number): Stream | null
  makedev(major: number, minor: number): number
  registerDevice(device: number, ops: StreamOps): void
  mkdev(path: string, mode: number, device: number): void
  cwd(): string
  chdir(path: string): void
  analyzePath(path: string): { readonly exists: boolean; readonly object?: FileNode | null }
  writeFile(path: string, bytes: Uint8Array): void
  readFile(path: string): Uint8Array
  getPath(node: FileNode): string
  mknod: (path: string, mode: number, device: number) => unknown
  mkdir: (path: string, mode?: number) => unknown
  rmdir: (path: string) => unknown
  unlink: (path: string) => unknown
  rename: (path: string, to: string) => unknown
  close: (stream: Stream) => unknown
  statfs: (path: string) => Record<string, number>
}

export interface FileNode {
  readonly contents: unknown
  readonly usedBytes: number
}

export interface Stream {
  readonly node: FileNode
  readonly flags: number
  stream_ops: StreamOps
}

export interface StreamOps {
  read?: (stream: Stream, buffer: Uint8Array, offset: number, length: number, position?: number) => number
  write?: (stream: Stream, buffer: Uint8Array, offset: number, length: number, position?: number) => number
  poll?: (stream: Stream) => number
}

/** Of the interpreter's exports. */
export interface InterpreterModule {
  _mp_hal_get_interrupt_char(): number
  _mp_sched_keyboard_interrupt(): void
}

export interface MicroPython {
  readonly FS: FileSystem
  readonly _module: InterpreterModule
  runPython(source: string): unknown
  replInit(): void
  /** Not 0 when the REPL is to end. */
  replProcessChar(byte: number): number
}
