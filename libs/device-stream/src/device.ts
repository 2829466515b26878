import type { BrokerClient, BrokerLog } from "@serialcast/broker-client"
import {
  AppError,
  type DeviceState,
  type Lease,
  type ModemLines,
  type PortSettings,
  parseAddress,
  type Receipt,
  type SettingsInForce,
  type StartPoint,
  type StreamName,
} from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import type { Directory } from "./directory/directory.ts"
import type { Feeds } from "./read/feed.ts"
import type { Histories } from "./read/histories.ts"
import { readHistory } from "./read/read-history.ts"
import { readStream } from "./read/reader.ts"
import type { QuietEvent, StreamEvent } from "./read/stream-event.ts"
import {
  type ControlOptions,
  configurePort,
  purgePort,
  readLines,
  type SignalChange,
  signalPort,
} from "./write/controls.ts"
import { type DeviceLease, holdLease } from "./write/held-lease.ts"
import { callLease, callRelease, type LeaseOptions, type ReleaseOptions } from "./write/lease-calls.ts"
import { type DeviceWriter, openSessionWriter, type WriterOptions } from "./write/session-writer.ts"
import { needOnline, type WriteOptions, writeDevice } from "./write/writer.ts"

export interface ReadOptions {
  /** Default: `now`. */
  readonly from?: StartPoint | undefined
  /** Default: `rx`. */
  readonly stream?: StreamName | undefined
  /** Ends the reading. */
  readonly signal: AbortSignal
}

export interface HistoryOptions {
  readonly from: StartPoint
  /** Default: `now`, the head as it is when the reading begins. */
  readonly to?: StartPoint | undefined
  /** Default: `rx`. */
  readonly stream?: StreamName | undefined
  /** Ends the reading. */
  readonly signal: AbortSignal
}

/** One device of any gateway. Everything here throws `unknown_device` when nobody announced it. */
export interface Device {
  /**
   * Every byte of a stream from a start point on, in order, or a gap. Goes on over reconnects, replugs and restarts
   * until `signal` is aborted. Pull-based: a reader that waits costs no memory and delays nobody. The first event,
   * `positioned`, comes within 1 s, whether the agent is there or not. Throws `unauthorized` when the broker refuses the
   * stream and `bad_cursor` when the agent refuses the cursor, which are before the first event unless the agent was
   * away then; `bad_message` or `unsupported` when the agent does not keep the contract.
   */
  read(options: ReadOptions): AsyncIterable<StreamEvent>
  /** The same, and whenever the reader has all that there is, up to when that is so. */
  read(options: ReadOptions & { readonly tellsQuiet: true }): AsyncIterable<StreamEvent | QuietEvent>
  /**
   * What is kept between two places, as `read` tells it, `positioned` first; it ends by itself at `to`, or at the head
   * when that comes first. Throws `bad_cursor`, `device_offline` while the agent is away, and `no_reply` when it does not
   * answer for 5 s.
   */
  history(options: HistoryOptions): AsyncIterable<StreamEvent>
  /** Writes `bytes` whole and un-interleaved; resolves when they are drained to the port. Throws as `writeDevice`. */
  write(bytes: Uint8Array, options: WriteOptions): Promise<Receipt>
  /** Begins a session of writes for this opening of the port. Throws `device_offline`. */
  openWriter(options: WriterOptions): DeviceWriter
  /** Becomes the only writer until it is disposed or lost; renews itself. Throws `leased` when another one is. */
  acquireLease(options: LeaseOptions): Promise<DeviceLease>
  /** Takes a lease, or renews the one with `fence`, for callers who keep it alive themselves. */
  lease(options: LeaseOptions & { readonly fence?: string | undefined }): Promise<Lease>
  /** Gives back a lease that `lease` answered. Throws `lease_lost` when it is not held any more. */
  release(options: ReleaseOptions): Promise<void>
  /** Changes settings of the port, now and for later openings by this agent's process; answers all it has then. */
  configure(settings: Partial<PortSettings>, options: ControlOptions): Promise<SettingsInForce>
  /** Sets modem lines or plays a macro of them; answers the lines as they are then, null when the port has none. */
  signal(change: SignalChange, options: ControlOptions): Promise<ModemLines | null>
  /** The modem lines as they are now; null when the port has none. */
  lines(options: { readonly by: string }): Promise<ModemLines | null>
  /** Drops what was written and not sent: the port's output buffer, and the caller's writes that wait. */
  purge(options: { readonly by: string; readonly lease?: string | undefined }): Promise<void>
}

export interface DeviceDeps {
  readonly broker: BrokerClient
  readonly directory: Directory
  readonly feeds: Feeds
  readonly histories: Histories
  readonly clock: Clock
  readonly log: BrokerLog
}

/** `address`: `<gateway>/<device>` */
export function createDevice(address: string, deps: DeviceDeps): Device {
  const { broker, directory, clock } = deps
  const need = (): DeviceState => {
    const state = directory.get(address)
    if (state === undefined)
      throw new AppError("unknown_device", `There is no device ${JSON.stringify(address)}.`)
    return state
  }
  /** The state of a device whose agent can be asked; whether its port is open is the agent's to say. */
  const needAgent = (): DeviceState => {
    const state = need()
    if (!directory.hasAgent(address)) needOnline(state)
    return state
  }
  return {
    read: (options: ReadOptions & { readonly tellsQuiet?: true }) =>
      // The types say what `tellsQuiet` does.
      readLive(address, need, options, deps) as AsyncIterable<StreamEvent>,
    history: (options) => readKept(address, needAgent, options, deps),
    write: async (bytes, options) => await writeDevice(broker, need(), bytes, options),
    openWriter(options) {
      const state = need()
      needOnline(state)
      return openSessionWriter(options, { broker, clock, state })
    },
    async acquireLease(options) {
      const state = needAgent()
      const askedMs = clock.monotonicMs()
      const lease = await callLease(broker, state, options)
      return holdLease(lease, askedMs, {
        ...deps,
        renew: (fence, timeoutMs) => callLease(broker, state, { ...options, steal: false, fence, timeoutMs }),
        release: (fence) =>
          callRelease(broker, state, { by: options.by, fence, outcome: options.outcome?.() }),
      })
    },
    lease: async (options) => await callLease(broker, needAgent(), options),
    release: async (options) => await callRelease(broker, needAgent(), options),
    configure: async (settings, options) =>
      await configurePort(broker, needAgent(), { ...options, settings }),
    async signal(change, options) {
      const state = needAgent()
      return await signalPort(broker, state, { ...options, ...change, open: state.open })
    },
    lines: async (options) => await readLines(broker, needAgent(), options),
    purge: async (options) => await purgePort(broker, needAgent(), options),
  }
}

function readLive(
  address: string,
  need: () => DeviceState,
  {
    from = { kind: "now" },
    stream = "rx",
    tellsQuiet = false,
    signal,
  }: ReadOptions & { readonly tellsQuiet?: boolean },
  { directory, feeds, clock }: DeviceDeps,
): AsyncGenerator<StreamEvent | QuietEvent, void, undefined> {
  const visit = () => {
    need()
    const parsed = parseAddress(address)
    const isAway = !directory.hasAgent(address)
    return { feed: feeds.acquire(parsed), isAway, [Symbol.dispose]: () => feeds.release(parsed) }
  }
  return readStream({ visit, stream, from, tellsQuiet, signal, clock })
}

async function* readKept(
  address: string,
  needAgent: () => DeviceState,
  { from, to = { kind: "now" }, stream = "rx", signal }: HistoryOptions,
  { histories }: DeviceDeps,
): AsyncGenerator<StreamEvent, void, undefined> {
  needAgent()
  const parsed = parseAddress(address)
  const history = histories.acquire(parsed)
  try {
    yield* readHistory({ history, stream, from, to, signal })
  } finally {
    histories.release(parsed)
  }
}
