import type { Framing, PortSettings } from "@serialcast/contract"

/** Where a listener listens. */
export interface ListenAddress {
  /** An IP address without brackets, a name, or `*` for every address of the machine. */
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
}

export interface DeviceConfig extends PortSettings {
  /** A path like /dev/ttyUSB0, `tcp://host:port`, or `sim:echo`, `sim:sensor` or `sim:modem`. */
  readonly port: string
  /** Null: the bytes are not cut into messages. */
  readonly framing: Framing | null
  /** Pause after each byte that is written, in milliseconds. */
  readonly charDelayMs: number
  /** Pause after each \n that is written, in milliseconds. */
  readonly lineDelayMs: number
}

/** The whole configuration, validated and frozen; every service reads its part. */
export interface Config {
  readonly gateway: string
  readonly broker: {
    readonly listen: ListenAddress
    readonly websocket: ListenAddress
    /** A broker that runs elsewhere; null: the embedded one. */
    readonly url: string | null
    /** First topic level of the contract. */
    readonly root: string
    /** What one client may leave unread before it is cut off, in bytes. */
    readonly clientBufferBytes: number
  }
  /** By name. */
  readonly devices: Readonly<Record<string, DeviceConfig>>
  /** What to do with ports that nobody configured. */
  readonly discover: "off" | "show" | "open"
  readonly journal: {
    readonly dir: string
    /** What is kept of one device: both streams and their index, in bytes. */
    readonly maxBytes: number
    /** In milliseconds; null: as long as there is room. */
    readonly maxAgeMs: number | null
    /** What a power failure may cost: the disk is made to keep what is older, in milliseconds. */
    readonly syncMs: number
  }
  readonly http: {
    readonly listen: ListenAddress
    /** `<gateway>/<device>` for requests that name none. */
    readonly defaultDevice: string | null
    /** Whether `/readbytes` and `/writebytes` are served. */
    readonly hexServer: boolean
  }
  readonly console: { readonly listen: ListenAddress }
  readonly admin: { readonly listen: ListenAddress }
  readonly access: {
    /** Everyone who reaches a listener may use it. */
    readonly open: boolean
    readonly tokenFile: string | null
    /** Names besides localhost under which browsers may address the services. */
    readonly hosts: readonly string[]
  }
  readonly log: { readonly level: "error" | "warn" | "info" | "debug" }
  /** The file that it came from; null: only defaults and environment. */
  readonly source: string | null
}
