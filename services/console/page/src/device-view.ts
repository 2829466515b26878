import type { DeviceState } from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import { byId, createTerminalView } from "@serialcast/web-terminal"
import { subProtocol } from "../../src/wire/frames.ts"
import type { ConnectionStatus } from "./connection.ts"
import { DeviceFeed, type FeedView } from "./device-feed.ts"
import { describeIdentity, describePresence, describeProblem, describeSettings } from "./device-text.ts"
import { pageUrl } from "./page-url.ts"
import { createSendBox } from "./send-box.ts"

export interface DeviceView {
  /** Opens the terminal of `<gateway>/<device>` in place of the one before. */
  open(address: string): void
  /** Ends what is open. */
  close(): void
  /** The newest state of the open device; null when it is not known. */
  showState(state: DeviceState | null): void
}

/** The main part: one device's terminal, send box and status. Must be visible: xterm.js measures its letters in it. */
export function createDeviceView(clock: Clock): DeviceView {
  const encoder = new TextEncoder()
  let feed: DeviceFeed | null = null
  // Of the terminal, which may still be parsing the device before when another one is opened.
  let isCongested = false

  const send = (text: string) => feed?.write(encoder.encode(text))
  const sendBox = createSendBox(send)
  const terminal = createTerminalView(byId("terminal", HTMLElement), {
    onTyped: send,
    onLeave: () => sendBox.focus(),
    onCongested(isNowCongested) {
      isCongested = isNowCongested
      if (isCongested) feed?.pause()
      else feed?.resume()
    },
  })
  byId("clear", HTMLButtonElement).addEventListener("click", () => {
    terminal.clear()
    terminal.focus()
  })

  return {
    open(address) {
      feed?.close()
      byId("device-name", HTMLElement).textContent = address
      terminal.reset()
      feed = new DeviceFeed({
        clock,
        startsPaused: isCongested,
        openSocket: (from) => new WebSocket(streamUrl(address, from), subProtocol),
        onBytes: (bytes) => terminal.write(bytes),
        onNotice: (text) => terminal.notice(text),
        onChange: showFeed,
      })
      terminal.focus()
    },
    close() {
      feed?.close()
      feed = null
    },
    showState,
  }
}

function streamUrl(address: string, from: string): URL {
  return pageUrl(`ws?${new URLSearchParams({ device: address, from })}`)
}

const statusTexts = {
  connecting: "Connecting…",
  open: "Live",
  waiting: "Connection lost, trying again…",
  paused: "Catching up…",
} as const satisfies Record<ConnectionStatus, string>

function showFeed(view: FeedView): void {
  const { status, offset, receivedBytes, pendingWrites, writeProblem } = view
  const isForAgent = status === "open" && view.isAgentAway
  const statusElement = byId("connection-status", HTMLElement)
  setText(statusElement, isForAgent ? "Waiting for the gateway's agent…" : statusTexts[status])
  statusElement.dataset["status"] = isForAgent ? "waiting" : status
  const counters = [
    ...(offset === null ? [] : [`offset ${offset.toLocaleString()}`]),
    `${receivedBytes.toLocaleString()} bytes received`,
    ...(pendingWrites === 0 ? [] : [`${pendingWrites} sending`]),
  ]
  setText(byId("counters", HTMLElement), counters.join(" · "))
  setText(byId("write-status", HTMLElement), writeProblem)
}

function showState(state: DeviceState | null): void {
  const badge = byId("device-badge", HTMLElement)
  const presence = state === null ? "Unknown" : describePresence(state)
  setText(badge, presence)
  badge.className = `badge ${presence.toLowerCase()}`
  const facts =
    state === null ? [] : [describeSettings(state.settings), state.port, describeIdentity(state.identity)]
  setText(byId("device-facts", HTMLElement), facts.filter((fact) => fact !== "").join(" · "))
  const problem = byId("device-problem", HTMLElement)
  setText(problem, state === null ? "No gateway knows this device." : describeProblem(state))
  problem.hidden = problem.textContent === ""
}

// A live region is read out when it is set, even to what it says already.
function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text
}
