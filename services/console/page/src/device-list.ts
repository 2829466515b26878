import type { DeviceState } from "@serialcast/contract"
import { byId, createElement } from "@serialcast/web-terminal"
import { describeIdentity, describePresence, describeProblem, describeSettings } from "./device-text.ts"

export interface DeviceList {
  /** All devices, sorted by address. */
  show(devices: readonly DeviceState[]): void
  /** Marks the device whose terminal is open. */
  select(address: string | null): void
}

/** Devices by gateway, each a link to its terminal. */
export function createDeviceList(): DeviceList {
  const list = byId("device-list", HTMLElement)
  let devices: readonly DeviceState[] = []
  let selected: string | null = null

  function render(): void {
    const focused =
      document.activeElement instanceof HTMLElement ? document.activeElement.dataset["device"] : undefined
    const gateways = Map.groupBy(devices, ({ gateway }) => gateway)
    list.replaceChildren(...[...gateways].map(([name, members]) => gatewayElement(name, members, selected)))
    // The entries are new; whoever was on one with the keyboard still is.
    if (focused !== undefined)
      list.querySelector<HTMLElement>(`[data-device="${CSS.escape(focused)}"]`)?.focus()
  }

  return {
    show(states) {
      devices = states
      render()
    },
    select(address) {
      selected = address
      render()
    },
  }
}

function gatewayElement(name: string, devices: readonly DeviceState[], selected: string | null): HTMLElement {
  return createElement("section", {
    children: [
      createElement("h2", { text: name }),
      createElement("ul", { children: devices.map((state) => deviceElement(state, selected)) }),
    ],
  })
}

function deviceElement(state: DeviceState, selected: string | null): HTMLElement {
  const address = `${state.gateway}/${state.device}`
  const presence = describePresence(state)
  const identity = describeIdentity(state.identity)
  const problem = describeProblem(state)
  const link = createElement("a", {
    className: "device",
    children: [
      createElement("span", { className: "device-name", text: state.device }),
      createElement("span", { className: `badge ${presence.toLowerCase()}`, text: presence }),
      createElement("span", { className: "device-facts", text: describeSettings(state.settings) }),
      createElement("span", { className: "device-facts", text: identity === "" ? state.port : identity }),
      ...(problem === "" ? [] : [createElement("span", { className: "device-trouble", text: problem })]),
    ],
  })
  link.href = `#${address}`
  link.title = state.port
  link.dataset["device"] = address
  link.dataset["testid"] = "device"
  if (address === selected) link.ariaCurrent = "page"
  return createElement("li", { children: [link] })
}
