import { existsSync, type FSWatcher, watch } from "node:fs"
import { basename, dirname, join } from "node:path"
import { after, type Clock, longAgo, type MonotonicMs, msSince, msUntil } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"
import { linkFolders } from "./port-links.ts"

export interface PortWatchOptions {
  /** Paths of ports whose appearance is told; they need not be there, nor in /dev. */
  readonly ports: readonly string[]
  /** Default: /dev. */
  readonly dev?: string
  /** Default: fs.watch. */
  readonly watchFolder?: typeof watchQuietly
  readonly clock: Clock
  readonly log: Logger
}

/** Hears of device nodes and links that come and go. It may miss some: whoever needs all looks now and again. */
export interface PortWatch extends Disposable {
  /** False while a folder cannot be watched: what comes and goes there is not told. */
  readonly isComplete: boolean
  /** Watches what could not be watched before. */
  refresh(): void
  /** Calls `listener` when something came or went in /dev or among the links in it. */
  onChanged(listener: () => void): void
  /** Calls `listener` with the path of each of `ports` that appears. */
  onAppeared(listener: (path: string) => void): void
}

// Older kernels tell a folder's watcher of each write to a device node in it, /dev/null among them, and Node cannot ask
// for less. At 2.3 µs an event (measured) this is 2 % of a processor; a folder with more is left alone for a while.
const maxWritesPerSecond = 10_000
const retryMs = 30_000

export function watchPorts(options: PortWatchOptions): PortWatch {
  return new FolderWatches(options)
}

class FolderWatches implements PortWatch {
  readonly #options: PortWatchOptions
  readonly #dev: string
  /** Where devices come and go. */
  readonly #deviceFolders: readonly string[]
  /** Those, and where the ports are. */
  readonly #folders: ReadonlySet<string>
  readonly #ports: ReadonlySet<string>
  readonly #watchers = new Map<string, FSWatcher>()
  /** When a folder that cannot be watched is tried again, by folder. */
  readonly #failed = new Map<string, MonotonicMs>()
  readonly #told = new Set<string>()
  readonly #changeListeners: (() => void)[] = []
  readonly #appearanceListeners: ((path: string) => void)[] = []

  constructor(options: PortWatchOptions) {
    const { ports, dev = "/dev" } = options
    this.#options = options
    this.#dev = dev
    this.#deviceFolders = ["", "serial", ...linkFolders].map((folder) => join(dev, folder))
    this.#ports = new Set(ports.filter((port) => port.startsWith("/")))
    this.#folders = new Set([...this.#deviceFolders, ...[...this.#ports].map((port) => dirname(port))])
    for (const folder of this.#folders) this.#watch(folder)
  }

  get isComplete(): boolean {
    return this.#watchers.has(this.#dev) && !this.#deviceFolders.some((folder) => this.#failed.has(folder))
  }

  refresh(): void {
    const { clock } = this.#options
    for (const folder of this.#folders) {
      const isTooSoon = msUntil(clock, this.#failed.get(folder) ?? longAgo) > 0
      if (this.#watchers.has(folder) || isTooSoon) continue
      if (this.#watch(folder)) this.#tellContents(folder)
    }
  }

  onChanged(listener: () => void): void {
    this.#changeListeners.push(listener)
  }

  onAppeared(listener: (path: string) => void): void {
    this.#appearanceListeners.push(listener)
  }

  [Symbol.dispose](): void {
    for (const folder of this.#watchers.keys()) this.#unwatch(folder)
  }

  #watch(folder: string): boolean {
    const { watchFolder = watchQuietly, clock } = this.#options
    const countWrite = createRateLimit(clock, maxWritesPerSecond)
    try {
      const watcher = watchFolder(folder, (kind, name) => {
        // Events that were on their way may come after the end of the watch.
        if (this.#watchers.get(folder) !== watcher) return
        if (kind === "rename") this.#onRename(folder, name)
        else if (!countWrite()) this.#fail(folder, "too much is written to what is in it")
      })
      watcher.on("error", (error) => {
        if (this.#watchers.get(folder) === watcher) this.#fail(folder, String(error))
      })
      this.#watchers.set(folder, watcher)
      this.#failed.delete(folder)
      return true
    } catch (error) {
      const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT"
      // It is noticed when it appears in a folder that is there.
      if (isMissing && folder !== this.#dev) this.#failed.delete(folder)
      else this.#fail(folder, String(error))
      return false
    }
  }

  #onRename(folder: string, name: string | null): void {
    const path = join(folder, name ?? "")
    // The folder itself went, and its watcher is dead; another one may be in its place already.
    const isGone = name === basename(folder)
    if (isGone) this.#unwatch(folder)
    if (isGone || this.#folders.has(path)) this.refresh()
    this.#tellChange(folder)
    this.#tellAppearance(path)
  }

  /** What came before the folder was watched was told by nobody. */
  #tellContents(folder: string): void {
    this.#tellChange(folder)
    for (const port of this.#ports) if (dirname(port) === folder) this.#tellAppearance(port)
  }

  #tellChange(folder: string): void {
    if (!this.#deviceFolders.includes(folder)) return
    for (const listener of this.#changeListeners) listener()
  }

  #tellAppearance(path: string): void {
    if (!this.#ports.has(path) || !existsSync(path)) return
    for (const listener of this.#appearanceListeners) listener(path)
  }

  #fail(folder: string, reason: string): void {
    const { clock, log } = this.#options
    this.#unwatch(folder)
    this.#failed.set(folder, after(clock.monotonicMs(), retryMs))
    if (!this.#told.has(folder))
      log.warn({ folder, reason }, "cannot watch for ports; looks for them instead")
    this.#told.add(folder)
    this.#tellChange(folder)
  }

  #unwatch(folder: string): void {
    this.#watchers.get(folder)?.close()
    this.#watchers.delete(folder)
  }
}

/** Does not keep the process alive. */
function watchQuietly(
  folder: string,
  listener: (kind: "rename" | "change", name: string | null) => void,
): FSWatcher {
  return watch(folder, { persistent: false }, listener)
}

/** Answers whether one more is within the limit. */
function createRateLimit(clock: Clock, maxPerSecond: number): () => boolean {
  let sinceMs = clock.monotonicMs()
  let count = 0
  return () => {
    if (++count <= maxPerSecond) return true
    const isSlow = msSince(clock, sinceMs) >= 1_000
    sinceMs = clock.monotonicMs()
    count = 0
    return isSlow
  }
}
