import type { DeviceState } from "@serialcast/contract"
import { systemClock } from "@serialcast/primitives"
import { byId } from "@serialcast/web-terminal"
import type { DeviceListMessage } from "../../src/socket/serve-device-list.ts"
import { type ConnectionStatus, openConnection } from "./connection.ts"
import { createDeviceList } from "./device-list.ts"
import { createDeviceView, type DeviceView } from "./device-view.ts"
import { hasAccess, prepareLogIn, showLogIn } from "./log-in.ts"
import { pageUrl } from "./page-url.ts"

const statusTexts = {
  connecting: "Connecting…",
  open: "Connected",
  waiting: "Console not reachable, trying again…",
  paused: "Paused",
} as const satisfies Record<ConnectionStatus, string>

function startConsole(): void {
  byId("console", HTMLElement).hidden = false
  const list = createDeviceList()
  const { dataset } = document.body
  let view: DeviceView | null = null
  let devices: readonly DeviceState[] = []
  let address: string | null = null
  const showState = () =>
    view?.showState(devices.find(({ gateway, device }) => `${gateway}/${device}` === address) ?? null)

  /** The part of the address behind `#` names the open device: links, the back button and reloading just work. */
  function openFromHash(): void {
    const name = location.hash.slice(1)
    address = name === "" ? null : name
    document.title = address === null ? "Serialcast" : `${address} – Serialcast`
    dataset["view"] = address === null ? "list" : "device"
    list.select(address)
    if (address === null) return view?.close()
    view ??= createDeviceView(systemClock)
    view.open(address)
    showState()
  }

  openConnection({
    clock: systemClock,
    openSocket: () => new WebSocket(pageUrl("ws/devices")),
    onText(text) {
      // The peer is the service that served this page.
      devices = (JSON.parse(text) as DeviceListMessage).devices
      dataset["devices"] = devices.length === 0 ? "none" : "some"
      list.show(devices)
      showState()
    },
    onStatus(status) {
      const element = byId("service-status", HTMLElement)
      element.textContent = statusTexts[status]
      element.dataset["status"] = status
      // A socket does not say why it was refused. The login may have ended.
      if (status === "waiting") void showLogInIfNeeded()
    },
  })
  addEventListener("hashchange", openFromHash)
  openFromHash()
}

/** True when the log-in form is shown. */
async function showLogInIfNeeded(): Promise<boolean> {
  const isAllowed = await hasAccess().catch(() => {
    // Not reachable now: the connection keeps trying, and this is asked again when it fails again.
    return true
  })
  if (!isAllowed) showLogIn()
  return !isAllowed
}

prepareLogIn()
if (!(await showLogInIfNeeded())) startConsole()
