/**
 * The error catalogue: every code that a user, a program or a log can meet. Codes are stable: they are never renamed
 * or reused. `status` is the HTTP status that carries the code; `fix` tells the user what to do about it.
 */
export const errorCatalogue = {
  bad_request: { status: 400, fix: "Correct the request as the message says; nothing was changed." },
  bad_hex: { status: 400, fix: "Send an even number of hex digits and nothing else; nothing was written." },
  bad_cursor: {
    status: 400,
    fix: "Use now, start, -N, an RFC 3339 time, or a cursor that this device gave you.",
  },
  not_kept: {
    status: 416,
    fix: "Go on at the cursor in the `Next-Cursor` header; what was before it cannot be had.",
  },
  bad_message: { status: 400, fix: "Encode the payload as the topic reference says." },
  bad_config: { status: 500, fix: "Correct the listed configuration keys and start again." },
  unauthorized: {
    status: 401,
    fix: "Send the access token: `Authorization: Bearer <token>`, or log in on the page.",
  },
  too_many_attempts: { status: 429, fix: "Wait a minute, then try again with the right access token." },
  cross_site: {
    status: 403,
    fix: "Open the page from the gateway itself; requests that other sites make, or that nobody asked for yet, are refused.",
  },
  bad_host: { status: 421, fix: "Use localhost or an IP address, or add the name to `access.hosts`." },
  unknown_path: { status: 404, fix: "Check the path; the README of the service lists its endpoints." },
  unknown_device: {
    status: 404,
    fix: "Use one of the addresses that `serialcast devices` or `GET /api/v1/devices` lists.",
  },
  unknown_resource: {
    status: 404,
    fix: "Use one of the addresses that `serialcast resource ls` or `GET /api/v1/resources` lists.",
  },
  resource_exists: { status: 409, fix: "Choose another address, or change the resource that is there." },
  resources_full: {
    status: 507,
    fix: "Delete a resource, or raise `resources.maxUri` or `resources.maxBytes`.",
  },
  method_not_allowed: { status: 405, fix: "Use a method that the `Allow` header lists." },
  too_large: { status: 413, fix: "Send less in one piece; the message says how much is allowed." },
  length_required: { status: 411, fix: "Send the body with a `Content-Length`." },
  precondition_failed: {
    status: 412,
    fix: "Get the file anew: it is not, or is, what the request's condition says.",
  },
  bytes_missing: { status: 502, fix: "Try again; what was said could not be read without a gap." },
  too_slow: { status: 408, fix: "Send all of the request in the time that the message says, and try again." },
  headers_too_large: { status: 431, fix: "Send fewer or shorter headers and cookies." },
  uri_too_long: {
    status: 414,
    fix: "Shorten the address: `/writebytes` takes at most 32754 bytes in one request, POST takes more.",
  },
  unsupported: { status: 501, fix: "Use a call that this version of the agent answers." },
  slow_client: { status: 503, fix: "Read faster, subscribe to less, or raise `broker.clientBufferBytes`." },
  overloaded: { status: 503, fix: "Wait until earlier work has finished, then try again." },
  device_offline: { status: 503, fix: "Check the cable and power of the device, then try again." },
  leased: { status: 423, fix: "Wait until the holder releases the lease, or take it over with `steal`." },
  lease_lost: {
    status: 409,
    fix: "Take a new lease, and look at what happened since, before writing again.",
  },
  cancelled: {
    status: 409,
    fix: "Ask again if it is still wanted.",
  },
  out_of_order: {
    status: 409,
    fix: "Start a new session: an earlier write of this one was refused or never came, so later ones are too.",
  },
  no_modem_lines: {
    status: 501,
    fix: "Use a port with modem lines; this one has none that can be set or read.",
  },
  port_conflict: {
    status: 503,
    fix: "Give each device a port of its own: by-id links tell apart what has the same name after a replug.",
  },
  port_shared: {
    status: 503,
    fix: "End the program that the message names: until then it and the agent each get a part of the bytes.",
  },
  journal_failed: {
    status: 503,
    fix: "Free space on, or repair, the disk of `journal.dir`; bytes go on to live readers, but are not kept.",
  },
  journal_taken: {
    status: 500,
    fix: "Stop the other agent, or give this one a `journal.dir` of its own.",
  },
  retained_failed: {
    status: 503,
    fix: "Free space on, or repair, the disk of `broker.dir`; retained messages reach everybody, but are not kept for a restart.",
  },
  retained_taken: {
    status: 500,
    fix: "Stop the other broker, or give this one a `broker.dir` of its own.",
  },
  expired: { status: 503, fix: "Send it again if it is still wanted; it was not written." },
  aborted: {
    status: 503,
    fix: "The device went away while it was written to; the message says how much it got.",
  },
  broker_offline: { status: 503, fix: "Check that the broker runs and that `broker.url` points to it." },
  no_reply: {
    status: 504,
    fix: "Check that the agent of this gateway runs; the outcome of the write is unknown.",
  },
  device_silent: {
    status: 504,
    fix: "Check that the device answers such a line, as `reply` of the resource says, or give it more `timeout`.",
  },
  gateway_name_taken: {
    status: 500,
    fix: "Give this gateway another name: `gateway:` in the configuration.",
  },
  output_failed: { status: 500, fix: "Free space on the disk, or write the output elsewhere." },
  listen_failed: { status: 500, fix: "Stop the other program or choose another address for the listener." },
  open_failed: { status: 503, fix: "Check that the port exists and that this user may open it." },
  not_micropython: {
    status: 502,
    fix: "Check that the device runs MicroPython, and its baud rate; press its reset button if it should.",
  },
  board_busy: {
    status: 503,
    fix: "Reset the board, or stop its program by hand: it takes no Ctrl-C.",
  },
  board_timeout: {
    status: 504,
    fix: "Try again; allow more time for what takes long, or reset the board when it stays silent.",
  },
  board_error: { status: 502, fix: "Look at the board's own words in the message." },
  transfer_failed: {
    status: 502,
    fix: "Try again; when it happens often, check the cable, the baud rate and the board's file system.",
  },
  no_such_file: { status: 404, fix: "Check the path on the board; a folder must be there before its files." },
  file_exists: { status: 409, fix: "Remove it first, or choose another name." },
  is_directory: { status: 409, fix: "Name a file; what is wanted is not done to a folder." },
  not_empty: { status: 409, fix: "Remove what is in the folder first, or remove it with all that is in it." },
  no_space: {
    status: 507,
    fix: "Remove files from the board; `serialcast ls --all` also shows what transfers that were cut have left.",
  },
  board_memory: {
    status: 507,
    fix: "Reset the board so that its memory is free, or ask for less at a time.",
  },
  internal: { status: 500, fix: "Report this with the log around it." },
} as const satisfies Record<string, { status: number; fix: string }>

export type ErrorCode = keyof typeof errorCatalogue

// A sentence may repeat what was found, which may be of any length: nobody reads more, and every reply has room for it.
const maxMessageLength = 1_000

/** An error with a stable code and a sentence that says what was expected and what was found. */
export class AppError extends Error {
  override readonly name = "AppError"
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }

  /** HTTP status that carries this error. */
  get status(): number {
    return errorCatalogue[this.code].status
  }

  /** What the user can do about it. */
  get fix(): string {
    return errorCatalogue[this.code].fix
  }

  /** The error as it travels in replies: a longer sentence ends after 1,000 characters, with an ellipsis. */
  toWire(): { code: ErrorCode; message: string } {
    return { code: this.code, message: shorten(this.message) }
  }
}

function shorten(message: string): string {
  // No half of a surrogate pair at the cut.
  return message.length <= maxMessageLength
    ? message
    : `${message.slice(0, maxMessageLength - 1).replace(/[\ud800-\udbff]$/, "")}…`
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCatalogue, code)
}

/** `error` as an AppError; anything unforeseen becomes `internal`, with the original as its cause. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  return new AppError("internal", error instanceof Error ? error.message : String(error), { cause: error })
}
