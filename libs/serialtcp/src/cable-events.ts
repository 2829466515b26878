/** What happened to one end of the cable. */
export type CableInput =
  /** The port is open; synchronising begins. */
  | { readonly kind: "started" }
  /** Bytes came by the line. */
  | { readonly kind: "received"; readonly bytes: Uint8Array }
  /** Everything written has left by the line. Answers the action `drain`, once. */
  | { readonly kind: "drained" }
  /** Bytes of the line are missing, in either direction. */
  | { readonly kind: "torn" }
  /** `deadlineMs` has come. */
  | { readonly kind: "timePassed" }
  /** This end leaves. Nothing happens afterwards. */
  | { readonly kind: "stopped" }
  /** Server: so many TCP clients wait to be accepted. */
  | { readonly kind: "clientsWaited"; readonly count: number }
  /** Client: the target was reached, or was not. Answers the action `dial`. */
  | { readonly kind: "dialed" }
  | { readonly kind: "dialFailed" }
  /** Bytes came by TCP. Only while `takesTcp`. */
  | { readonly kind: "tcpReceived"; readonly bytes: Uint8Array }
  /** The TCP side sends no more, but may still take. Only while `takesTcp`. */
  | { readonly kind: "tcpEnded" }
  /** The TCP side is gone, or takes nothing any more. */
  | { readonly kind: "tcpBroken" }

/** What is to be done, in this order. */
export type CableAction =
  /** To the line, after everything written before, as one write of its own. */
  | { readonly kind: "write"; readonly bytes: Uint8Array }
  /** Tell `drained` when everything written has left by the line. */
  | { readonly kind: "drain" }
  /** What was written and has not left is of no use any more: take back what can be. */
  | { readonly kind: "discard" }
  /** Server: take the TCP client that waits longest. */
  | { readonly kind: "accept" }
  /** Client: connect to the target. */
  | { readonly kind: "dial" }
  /** To the TCP side. */
  | { readonly kind: "deliver"; readonly bytes: Uint8Array }
  /** The TCP side's end, after everything delivered. Nothing more is to be told of this connection. */
  | { readonly kind: "end" }
  /**
   * The TCP side's end, so that it knows that it was none of its far program's; or the end of dialling. Nothing more is
   * to be told of this connection.
   */
  | { readonly kind: "reset" }
  | { readonly kind: "report"; readonly report: CableReport }

/** How a connection ended: at this end's TCP side, at the far end, or between them. */
export type CloseReason =
  /** The TCP side sent its end. */
  | "ended"
  /** The TCP side was gone, or took nothing any more. */
  | "broken"
  /** The far end said so; while the connection was being made also because it was restarted. */
  | "farEnded"
  /** The far end was restarted or stopped, lost bytes, or its TCP side was reset. */
  | "farBroken"
  /** The far end's target was not reached, or this end's. */
  | "refused"
  /** The far end, or this end's target, did not answer in time. */
  | "unanswered"
  /** Bytes of the line are missing. */
  | "torn"
  | "stopped"

/** What an operator wants to know. */
export type CableReport =
  | { readonly kind: "synchronised" }
  /** Told once in a round, which goes on. */
  | { readonly kind: "syncTimedOut"; readonly timeoutMs: number }
  /** The far end has the same role, or the cable is looped back. Told once in a round. */
  | { readonly kind: "sameRole" }
  /** Data flows. */
  | { readonly kind: "opened" }
  /** A connection that was accepted or dialled is over. */
  | { readonly kind: "closed"; readonly reason: CloseReason }
  /** A code that means nothing now was ignored. */
  | { readonly kind: "strayCode"; readonly code: number }
