import { readFile, realpath } from "node:fs/promises"
import { join } from "node:path"
import type { PortIdentity } from "@serialcast/contract"
import { namesIn, readPortLinks } from "./port-links.ts"

export interface FoundPort {
  /** What leads to the same hardware after a replug: a link if one can be relied on, else the node. */
  readonly path: string
  /** The device node, like /dev/ttyUSB0. */
  readonly node: string
  readonly identity: PortIdentity
}

export interface ScanRoots {
  readonly sys: string
  readonly dev: string
}

/** A port with what tells it apart from others; null where nothing does. */
interface SeenPort {
  readonly node: string
  readonly identity: PortIdentity
  /** What its device says of itself. */
  readonly self: string | null
  /** Where its device is plugged in. */
  readonly place: string | null
}

const systemRoots: ScanRoots = { sys: "/sys", dev: "/dev" }

/**
 * Serial ports with hardware behind them, sorted by path. Reads sysfs and the links of udev; udev itself is not needed,
 * so it works in a plain container. Answers none where there is no sysfs.
 */
export async function scanPorts({ sys, dev }: ScanRoots = systemRoots): Promise<FoundPort[]> {
  const names = await namesIn(join(sys, "class/tty"))
  const links = await readPortLinks(dev)
  const inspected = await Promise.all(names.map((name) => inspect(name, { sys, dev }, links.get(name))))
  const seen = inspected.filter((port) => port !== null)
  return seen
    .map((port) => ({ path: lastingPath(port, seen), node: port.node, identity: port.identity }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** What the system knows about the port at `path`, which may be a link; nothing for one that has no hardware. */
export async function identifyPort(path: string, roots: ScanRoots = systemRoots): Promise<PortIdentity> {
  const [ports, target] = await Promise.all([scanPorts(roots), realpath(path).catch(() => path)])
  return ports.find(({ node }) => node === target)?.identity ?? {}
}

/**
 * Adapters without a serial number, clones that all have the same one, and some chips with several ports share one
 * link, which then leads to any of them. A port on the board has the same node at each start.
 */
function lastingPath({ node, identity, self, place }: SeenPort, all: readonly SeenPort[]): string {
  const linkIn = (folder: string) => identity.links?.find((link) => link.includes(`/serial/${folder}/`))
  const isOnlySelf = self !== null && all.filter((other) => other.self === self).length === 1
  const isOnlyThere = place !== null && all.filter((other) => other.place === place).length === 1
  return (isOnlySelf ? linkIn("by-id") : undefined) ?? (isOnlyThere ? linkIn("by-path") : undefined) ?? node
}

async function inspect(
  name: string,
  { sys, dev }: ScanRoots,
  links: readonly string[] | undefined,
): Promise<SeenPort | null> {
  const tty = join(sys, "class/tty", name)
  const device = await realpath(join(tty, "device")).catch(() => null)
  // Virtual terminals have no device; a serial8250 slot without a chip has type 0 (PORT_UNKNOWN).
  if (device === null || (await textOf(join(tty, "type"))) === "0") return null
  const node = join(dev, name)
  const usb = await inspectUsb(device)
  if (usb === null) return { node, identity: { links }, self: null, place: null }
  const { portNumber, folder, ...named } = usb
  const identity = { ...named, links }
  const { vendorId, productId, serialNumber } = named
  const self = [vendorId, productId, serialNumber, named.interface, portNumber].join(" ")
  return { node, identity, self: serialNumber === undefined ? null : self, place: `${folder} ${portNumber}` }
}

interface UsbPort extends PortIdentity {
  /** Of the interface, in sysfs. */
  readonly folder: string
  /** Of several ports of one interface. */
  readonly portNumber: string | undefined
}

/** A USB tty's `device` is its interface or lies in it, and that lies in the USB device, which has the descriptors. */
async function inspectUsb(device: string): Promise<UsbPort | null> {
  const isInterface = (await textOf(join(device, "bInterfaceNumber"))) !== undefined
  const folder = isInterface ? device : join(device, "..")
  for (let usb = device; usb.length > 1; usb = join(usb, "..")) {
    const vendorId = await textOf(join(usb, "idVendor"))
    if (vendorId === undefined) continue
    const [productId, manufacturer, product, serialNumber, number, portNumber] = await Promise.all([
      ...["idProduct", "manufacturer", "product", "serial"].map((file) => textOf(join(usb, file))),
      textOf(join(folder, "bInterfaceNumber")),
      textOf(join(device, "port_number")),
    ])
    return { vendorId, productId, manufacturer, product, serialNumber, interface: number, folder, portNumber }
  }
  return null
}

async function textOf(file: string): Promise<string | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined)
  return text?.trim() || undefined
}
