import { mkdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { formatProfile } from "../profile/format-profile.ts"
import { selfTimes } from "../profile/self-times.ts"
import { type Gateway, type GatewayOptions, type GatewayPlace, startGateway } from "./gateway.ts"
import { type Load, startLoad } from "./load.ts"
import { nowNs } from "./process-usage.ts"
import { type Ser2net, type Ser2netOptions, startSer2net } from "./ser2net.ts"

const sampleEveryUs = 250

export interface RigOptions {
  /** The built `main.js` of the command line. */
  readonly main: string
  /** The compiled load program. */
  readonly load: string
  /** An empty folder; journals and configurations lie there. */
  readonly folder: string
  /** Of the rows' sizes and times; 1 is what their floors are for. */
  readonly scale: number
  /** Of random input; null: another one in each run. */
  readonly seed: number | null
  /** Hears how far it is. */
  readonly tell: (text: string) => void
  /** Hears where the processor was, once for each gateway, from when it was ready; null: nobody looks. */
  readonly onProfile: ((tables: string) => void) | null
}

/** What rows measure with. Whatever they start, they dispose. */
export interface Rig {
  /** A size, time or number of samples at the chosen scale, whole and at least `least` (default 1). */
  scaled(full: number, least?: number): number
  /** Of random input; null: any, which the row tells. */
  readonly seed: number | null
  /** Says something to people, beside the figures. */
  tell(text: string): void
  /** A path in the bench's folder where nothing is. */
  emptyPath(name: string): string
  startLoad(): Promise<Load>
  startGateway(options: GatewayOptions): Promise<Gateway>
  /** null where ser2net is not installed. */
  startSer2net(options: Ser2netOptions): Promise<Ser2net | null>
}

export async function createRig({
  main,
  load,
  folder,
  scale,
  seed,
  tell,
  onProfile,
}: RigOptions): Promise<Rig> {
  await mkdir(folder)
  let paths = 0
  return {
    scaled: (full, least = 1) => Math.max(least, Math.round(full * scale)),
    seed,
    tell,
    emptyPath: (name) => join(folder, `${name}-${paths++}`),
    startLoad: () => startLoad(load),
    startGateway(options) {
      const place = { main, folder: join(folder, `gateway-${paths++}`) }
      if (onProfile === null) return startGateway(options, { ...place, nodeOptions: [] })
      return startProfiled(options, place, onProfile)
    },
    startSer2net: (options) => startSer2net(options, folder),
  }
}

async function startProfiled(
  options: GatewayOptions,
  place: Pick<GatewayPlace, "main" | "folder">,
  onProfile: (tables: string) => void,
): Promise<Gateway> {
  const name = "gateway.cpuprofile"
  const nodeOptions = ["--cpu-prof", `--cpu-prof-interval=${sampleEveryUs}`, `--cpu-prof-name=${name}`]
  const gateway = await startGateway(options, { ...place, nodeOptions })
  const readyUs = nowNs() / 1_000
  return {
    ...gateway,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      // Node wrote it: its shape is V8's.
      const profile = JSON.parse(await readFile(join(place.folder, name), "utf8"))
      onProfile(formatProfile(await selfTimes(profile, readyUs)))
    },
  }
}
