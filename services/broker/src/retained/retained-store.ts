import { AppError } from "@serialcast/contract"
import { withDeadline } from "@serialcast/primitives"
import type { ServiceDeps } from "@serialcast/service-kit"
import type { PublishPacket } from "aedes"
import { isSaidAgain, type KeptMessage } from "../rules/kept-form.ts"
import type { PublishRules } from "../rules/publish-rules.ts"
import { createDisk, type Disk } from "./disk.ts"
import type { KeptRecord } from "./record.ts"
import { RetainedFolder } from "./retained-folder.ts"
import { RetainedKeeper } from "./retained-keeper.ts"
import { RetainedMessages } from "./retained-messages.ts"

// Reading the folder takes milliseconds; a disk that takes longer hangs.
const loadTimeoutMs = 5_000
// What a file may have besides retained messages: wills, and what is not worth a new file.
const wasteBytes = 32 * 1024 * 1024

export interface RetainedStoreOptions {
  /** null: in memory only. */
  readonly dir: string | null
  /** What a power failure may cost, in milliseconds. */
  readonly syncMs: number
  /** Memory for all retained messages together, in bytes. */
  readonly maxRetainedBytes: number
}

export interface RetainedStoreDeps extends Pick<ServiceDeps, "log" | "clock"> {
  readonly rules: PublishRules
  /** Default: the system's. */
  readonly disk?: Disk | undefined
  /** The disk has again all that is to be kept. */
  readonly onBack: () => void
}

/** Retained messages: in memory for everybody who reads them, and on the disk for the next start. */
export interface RetainedStore {
  readonly messages: Pick<RetainedMessages, "asStore">
  /** The disk takes nothing: what is retained is in memory only. */
  readonly isAway: boolean
  /**
   * Retains a message, at once for all that ask from now on. undefined: that is all. Else it resolves with true when the next
   * start will have it, however this process ends; with false when the disk is away.
   */
  put(packet: PublishPacket): Promise<boolean> | undefined
  /** A client with a retained will is connected. */
  holdWill(holder: object, will: Pick<PublishPacket, "topic" | "payload" | "qos">): void
  /** Its will was published, or is not wanted any more. */
  dropWill(holder: object, topic: string): void
  close(): Promise<void>
}

/** Throws `retained_taken` when another broker uses the folder. A disk that cannot be read or written stops nothing. */
export async function openRetainedStore(
  { dir, syncMs, maxRetainedBytes }: RetainedStoreOptions,
  deps: RetainedStoreDeps,
): Promise<RetainedStore> {
  const messages = new RetainedMessages(deps.rules.topics)
  if (dir === null) return memoryOnly(messages)
  const { disk = createDisk() } = deps
  const folder = new RetainedFolder(
    { dir, maxFileBytes: 4 * (maxRetainedBytes + wasteBytes) },
    { ...deps, disk },
  )
  const keeper = new RetainedKeeper(syncMs, { ...deps, disk, folder, source: messages })
  await keeper.start(await load(folder, messages, deps))
  return {
    messages,
    get isAway() {
      return keeper.isAway
    },
    put: (packet) => put(packet, { messages, keeper, ...deps }),
    holdWill(holder, { topic, payload, qos }) {
      if (isOwn(topic, deps)) return
      messages.holdWill(holder, topic, { qos, payload: Buffer.from(payload) })
      void keeper.keep(topic, true)
    },
    dropWill(holder, topic) {
      messages.dropWill(holder, topic)
      if (!isOwn(topic, deps)) void keeper.keep(topic, true)
    },
    close: () => keeper.close(),
  }
}

function memoryOnly(messages: RetainedMessages): RetainedStore {
  return {
    messages,
    isAway: false,
    put(packet) {
      messages.put(packet)
      return undefined
    },
    holdWill() {},
    dropWill() {},
    close: async () => {},
  }
}

interface PutDeps extends RetainedStoreDeps {
  readonly messages: RetainedMessages
  readonly keeper: RetainedKeeper
}

function put(packet: PublishPacket, { messages, keeper, ...deps }: PutDeps): Promise<boolean> | undefined {
  const { topic } = packet
  const before = messages.keptForm(topic)
  messages.put(packet)
  const isDifferent = !areSame(before, messages.keptForm(topic))
  if (!isOwn(topic, deps)) return keeper.keep(topic, isDifferent)
  // Whoever published it says it again on each connection: nobody waits for the disk.
  if (isDifferent) void keeper.keep(topic, true)
  return undefined
}

function isOwn(topic: string, { rules }: Pick<RetainedStoreDeps, "rules">): boolean {
  return isSaidAgain(rules.topics.parse(topic)?.kind)
}

function areSame(a: KeptMessage | undefined, b: KeptMessage | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.qos === b.qos && Buffer.compare(a.payload, b.payload) === 0
}

/** Puts what the folder has into `messages`; answers why it could not. */
async function load(
  folder: RetainedFolder,
  messages: RetainedMessages,
  { rules, clock, log }: RetainedStoreDeps,
) {
  const found = new Map<string, KeptRecord>()
  const error = () => new AppError("retained_failed", `Reading took more than ${loadTimeoutMs} ms.`)
  const loading = folder.prepare().then(() => folder.load((record) => found.set(record.topic, record)))
  try {
    const loaded = await withDeadline(loading, { clock, timeoutMs: loadTimeoutMs, error })
    let refused = 0
    for (const record of found.values()) {
      const { topic, message } = record
      if (message === undefined) continue
      const isContract = rules.topics.parse(topic) !== undefined
      if (rules.retained.admit(topic, message.payload.byteLength, isContract)) messages.restore(record)
      else refused += 1
    }
    if (refused > 0) log.warn({ refused }, "no room for all messages that were retained before the start")
    return loaded
  } catch (reason) {
    if (reason instanceof AppError && reason.code === "retained_taken") throw reason
    return reason instanceof Error ? reason : new Error(String(reason))
  }
}
