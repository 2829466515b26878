/*
 *   WebREPL clients ⇄ one listener for each board ⇄ device client ⇄ broker
 */
import { Boards } from "@serialcast/boards"
import type { DeviceClient } from "@serialcast/device-stream"
import { createPeerWatch } from "@serialcast/primitives/tcp"
import {
  type Config,
  createRefusals,
  type RunningService,
  type ServiceDeps,
  type WebreplConfig,
} from "@serialcast/service-kit"
import { webreplConfig } from "./config.ts"
import type { UseBoard } from "./file-channel/board-files.ts"
import { redirectAnswer } from "./handshake/answers.ts"
import { BoardListener, type ListenerState } from "./listen/board-listener.ts"
import { readSecrets } from "./listen/listener-secrets.ts"
import type { PageAnswer } from "./listen/serve-visitor.ts"
import { registerWebreplMetrics } from "./metrics.ts"
import { builtPage, createPage } from "./page/page-files.ts"
import { lendBoard } from "./session/lend-board.ts"

export interface WebreplDeps extends ServiceDeps {
  /** Stays the caller's: stopping the service does not close it. */
  readonly devices: DeviceClient
  /** How the board at `<gateway>/<device>` is had. Default: under its lease, by the raw REPL. */
  readonly boards?: ((address: string) => UseBoard) | undefined
  /** The folder of the built page. Default: the service's own. */
  readonly pageDir?: string | undefined
}

export interface RunningWebrepl extends RunningService {
  /** The boards' listeners as they are now, in the order of the configuration. */
  listeners(): readonly ListenerState[]
}

/**
 * Starts the listeners of all boards of the configuration. Throws `bad_config` when a password or certificate cannot be had and
 * `listen_failed` when one of them cannot listen; nothing is left running then.
 */
export async function createWebrepl(config: Config, deps: WebreplDeps): Promise<RunningWebrepl> {
  const { devices, clock, log, metrics, boards: boardAt, pageDir = builtPage } = deps
  const own = new Boards()
  const lend = boardAt ?? ((address) => lendBoard(address, { devices, boards: own, clock }))
  const { boards } = webreplConfig(config)
  const secrets = boards.map(readSecrets)
  const listeners: BoardListener[] = []
  const stopAll = async () => {
    await Promise.all(listeners.map((listener) => listener.stop()))
  }
  const states = () => listeners.map((listener) => listener.state())
  const peers = createPeerWatch({ clock })
  const refusals = createRefusals({ listener: "webrepl", log, clock, metrics })
  const ownPageOf = createPage(pageDir)
  try {
    for (const [at, board] of boards.entries()) {
      const secret = secrets[at]
      if (secret === undefined) break
      const listener = new BoardListener(board, {
        devices,
        clock,
        peers,
        log,
        refusals,
        secrets: secret,
        answerPage: pageOf(board, ownPageOf),
        useBoard: lend(board.device),
      })
      await listener.start()
      listeners.push(listener)
    }
  } catch (error) {
    await stopAll()
    throw error
  }
  registerWebreplMetrics(metrics, states)
  return {
    name: "webrepl",
    listeners: states,
    isReady: () => devices.isConnected,
    async stop() {
      await stopAll()
    },
  }
}

function pageOf(
  { device, staticHost }: WebreplConfig,
  ownPageOf: (device: string) => PageAnswer,
): PageAnswer {
  return staticHost === null ? ownPageOf(device) : () => redirectAnswer(staticHost)
}
