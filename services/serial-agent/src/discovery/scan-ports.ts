import { readdir, readFile, realpath } from "node:fs/promises"
import { basename, join } from "node:path"
import type { PortIdentity } from "@serialcast/contract"

export interface FoundPort {
  /** The by-id link when there is one: it stays the same over replugs. */
  readonly path: string
  /** The device node, like /dev/ttyUSB0. */
  readonly node: string
  readonly identity: PortIdentity
}

export interface ScanRoots {
  readonly sys: string
  readonly dev: string
}

const systemRoots: ScanRoots = { sys: "/sys", dev: "/dev" }

/**
 * Serial ports with hardware behind them, sorted by path. Reads sysfs and the by-id links; udev is not needed, so it
 * works in a plain container. Answers none where there is no sysfs.
 */
export async function scanPorts({ sys, dev }: ScanRoots = systemRoots): Promise<FoundPort[]> {
  const names = await namesIn(join(sys, "class/tty"))
  const links = await byIdLinks(dev)
  const ports = await Promise.all(names.map((name) => inspect(name, { sys, dev }, links)))
  return ports.filter((port) => port !== null).sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** What the system knows about the port at `path`, which may be a link; nothing for one that has no hardware. */
export async function identifyPort(path: string, roots: ScanRoots = systemRoots): Promise<PortIdentity> {
  const [ports, target] = await Promise.all([scanPorts(roots), realpath(path).catch(() => path)])
  return ports.find(({ node }) => node === target)?.identity ?? {}
}

async function inspect(
  name: string,
  { sys, dev }: ScanRoots,
  links: Map<string, string>,
): Promise<FoundPort | null> {
  const tty = join(sys, "class/tty", name)
  const device = await realpath(join(tty, "device")).catch(() => null)
  // Virtual terminals have no device; a serial8250 slot without a chip has type 0 (PORT_UNKNOWN).
  if (device === null || (await textOf(join(tty, "type"))) === "0") return null
  const node = join(dev, name)
  return { path: links.get(name) ?? node, node, identity: await identify(device) }
}

/** A USB tty's `device` lies below its interface, which lies below the USB device that has the descriptors. */
async function identify(device: string): Promise<PortIdentity> {
  for (let folder = device; folder.length > 1; folder = join(folder, "..")) {
    const vendorId = await textOf(join(folder, "idVendor"))
    if (vendorId === undefined) continue
    const [productId, manufacturer, product, serialNumber] = await Promise.all(
      ["idProduct", "manufacturer", "product", "serial"].map((file) => textOf(join(folder, file))),
    )
    return { vendorId, productId, manufacturer, product, serialNumber, interface: await interfaceOf(device) }
  }
  return {}
}

async function interfaceOf(device: string): Promise<string | undefined> {
  return (
    (await textOf(join(device, "bInterfaceNumber"))) ?? (await textOf(join(device, "../bInterfaceNumber")))
  )
}

async function byIdLinks(dev: string): Promise<Map<string, string>> {
  const folder = join(dev, "serial/by-id")
  // A device may have several links: the same one is taken at each scan.
  const links = (await namesIn(folder)).sort().reverse()
  const targets = await Promise.all(
    links.map(
      async (name) => [await realpath(join(folder, name)).catch(() => ""), join(folder, name)] as const,
    ),
  )
  return new Map(targets.map(([target, link]) => [basename(target), link]))
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    // A missing folder is a system without such devices.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return []
    throw error
  }
}

async function textOf(file: string): Promise<string | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined)
  return text?.trim() || undefined
}
