import type { Framing, PortSettings } from "@serialcast/contract"
import type { TlsFiles } from "./tls-files.ts"

/** Where a listener listens. */
export interface ListenAddress {
  /** An IP address without brackets, a name, or `*` for every address of the machine. */
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
}

export interface DeviceConfig extends PortSettings {
  /** A path like /dev/ttyUSB0, `tcp://host:port`, `rfc2217://host:port`, or `sim:echo`, `sim:sensor`, … */
  readonly port: string
  /** Null: the bytes are not cut into messages. */
  readonly framing: Framing | null
  /** Pause after each byte that is written, in milliseconds. */
  readonly charDelayMs: number
  /** Pause after each \n that is written, in milliseconds. */
  readonly lineDelayMs: number
  /** A port that takes nothing for longer is opened anew, in milliseconds; null: flow control may hold it for ever. */
  readonly holdLimitMs: number | null
}

/** What tunnels with a listener have in common. */
interface Listener {
  readonly listen: ListenAddress
  /** `<gateway>/<device>` */
  readonly device: string
  /** Networks whose addresses may connect, in CIDR notation; null: every address. */
  readonly allow: readonly string[] | null
  /** Connections in which nothing moves for this long are ended, in milliseconds; null: never. */
  readonly idleTimeoutMs: number | null
}

/** Listeners whose clients all see what the device sends. */
interface SharedListener extends Listener {
  readonly maxClients: number
  /** Web browsers may connect as well: what they send reaches the device. */
  readonly allowHttp: boolean
  /** What becomes of the connections when the device goes away. */
  readonly onUnplug: "keep" | "close"
  /** How many of the device's last bytes a client gets at first. */
  readonly replayBytes: number
}

/** Bare bytes. */
export interface RawTunnel extends SharedListener {
  readonly type: "raw"
  /** What clients send is thrown away. */
  readonly readOnly: boolean
}

/** Telnet with the COM-PORT option (RFC 2217). */
export interface Rfc2217Tunnel extends SharedListener {
  readonly type: "rfc2217"
  /** Whether only one client at a time may write and change settings. */
  readonly control: "exclusive" | "shared"
  /** What a client's changes of DTR and RTS do: reach the port, nothing, or play `macros` when they are a reset. */
  readonly lines: "pass" | "ignore" | "macro"
  /** `parseLineMacro` */
  readonly macros: { readonly reset: string; readonly bootloader: string }
  /** The settings that the port had come back when the client that changed them leaves. */
  readonly restoreSettings: boolean
}

/** What both ends of a serialtcp cable have in common. */
interface SerialtcpEnd {
  /** `<gateway>/<device>`: the cable to the other end. */
  readonly device: string
  /** How long one end waits for the other's connection, in milliseconds. */
  readonly timeoutMs: number
  /** How long the ends may take to find each other before that is called a problem, in milliseconds; null: for ever. */
  readonly syncTimeoutMs: number | null
  /** Silence before the end of a connection is sent, in milliseconds. */
  readonly silenceMs: number
  /** How long what still comes back is delivered after one side ended, in milliseconds. */
  readonly graceMs: number
  readonly idleTimeoutMs: number | null
}

/** The end of a serialtcp cable that TCP clients connect to. */
export interface SerialtcpServerTunnel extends SerialtcpEnd, Listener {
  readonly type: "serialtcp-server"
  /** What becomes of a client that connects while the cable is taken. */
  readonly whenBusy: "queue" | "refuse"
}

/** The end of a serialtcp cable that connects to a TCP server. */
export interface SerialtcpClientTunnel extends SerialtcpEnd {
  readonly type: "serialtcp-client"
  /** The server; a name or an IP address without brackets. */
  readonly connect: ListenAddress
}

export type TunnelConfig = RawTunnel | Rfc2217Tunnel | SerialtcpServerTunnel | SerialtcpClientTunnel

/** A board behind a WebREPL listener. */
export interface WebreplConfig {
  readonly listen: ListenAddress
  /** `<gateway>/<device>` */
  readonly device: string
  /** What clients log in with: the one line of a file, or the text itself. */
  readonly password: { readonly file: string } | { readonly text: string }
  /** How many more clients may watch while one has the board. */
  readonly watchers: number
  /** Who logs in takes the place of who has the board. */
  readonly takeOver: boolean
  /** Where the page comes from that is served; null: from here. */
  readonly staticHost: string | null
  /** Heads of requests are logged. */
  readonly debug: boolean
  /** Files in PEM; null: clients come without TLS. */
  readonly tls: TlsFiles | null
}

/** Who is told of requests for a resource, by a request. */
export interface WebhookConfig {
  /** Of the resource. */
  readonly uri: string
  /** Of the requests that are told. */
  readonly methods: readonly ("GET" | "HEAD" | "PUT" | "POST" | "DELETE")[]
  readonly url: string
  /** With the one line of this file it is signed. */
  readonly secret: { readonly file: string }
  /** With the resources below it. */
  readonly recursive: boolean
}

/** Methods of resources. */
export type ResourceMethodName = "GET" | "PUT" | "POST" | "DELETE"

/** A resource whose requests a device answers. */
export interface ForwardConfig {
  readonly uri: string
  /** `<gateway>/<device>` */
  readonly device: string
  readonly methods: readonly ResourceMethodName[]
  /** The line that the device gets, with `{method}`, `{uri}`, `{body}` and `{query}` in it. */
  readonly request: string
  /** A regular expression: its first group, or else the line that it matches, is the answer. */
  readonly reply: string
  readonly contentType: string
  readonly timeoutMs: number
  readonly eol: "lf" | "cr" | "crlf"
}

/** What a device may say of resources of its own. */
export interface OwnResourcesConfig {
  /** What its lines about them begin with. */
  readonly prefix: string
  /** Methods that those resources take. */
  readonly methods: readonly ResourceMethodName[]
}

/** The resource server. */
export interface ResourcesConfig {
  readonly listen: ListenAddress
  /** How many resources there may be, those of devices beside. */
  readonly maxUri: number
  /** Of one value, in bytes. */
  readonly maxBody: number
  /** Of all values together, in bytes. */
  readonly maxBytes: number
  /** Values of a type in which browsers run code are served as such. */
  readonly html: boolean
  /** By `<gateway>/<device>`; other devices have no resources of their own. */
  readonly devices: Readonly<Record<string, OwnResourcesConfig>>
  readonly forward: readonly ForwardConfig[]
  /** Files in PEM; null: clients come without TLS. */
  readonly tls: TlsFiles | null
  readonly webhooks: readonly WebhookConfig[]
}

/** The whole configuration, validated and frozen; every service reads its part. */
export interface Config {
  readonly gateway: string
  readonly broker: {
    readonly listen: ListenAddress
    readonly websocket: ListenAddress
    /** Where other services find the embedded broker; null: where it listens. */
    readonly host: string | null
    /** A broker that runs elsewhere; null: the embedded one. */
    readonly url: string | null
    /** First topic level of the contract. */
    readonly root: string
    /** What one client may leave unread before it is cut off, in bytes. */
    readonly clientBufferBytes: number
    /** Folder of what the embedded broker retains; null: that is in memory only. */
    readonly dir: string | null
    /** What a power failure may cost of it, in milliseconds. */
    readonly syncMs: number
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
    /** Where bytes are until the disk has them. */
    readonly stage: "auto" | "off" | { readonly folder: string }
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
  readonly tunnels: readonly TunnelConfig[]
  readonly webrepl: readonly WebreplConfig[]
  readonly resources: ResourcesConfig
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
