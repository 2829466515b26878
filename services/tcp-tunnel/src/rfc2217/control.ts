/** Whether a client may write and change settings now. `away`: nobody may, because the device's agent cannot be asked. */
export type Standing = "controls" | "watches" | "away"

/** Whoever wants control. */
export interface Contender {
  /** The principal. */
  readonly by: string
  /** It has control now, or has it no more. */
  readonly onChange: (hasControl: boolean) => void
}

/** One client's place among those who want control. */
export interface Seat {
  readonly hasControl: boolean
  /** What writes and controls are made with; undefined: without a lease. */
  readonly fence: string | undefined
  /** How it stands; waits while that is being decided, but not for longer than clients wait for answers. */
  standing(): Promise<Standing>
  /** It will leave soon: those who come now wait for that. */
  prepareToLeave(): void
  /** Gives control to the next one. */
  leave(): Promise<void>
}

/** Who of a tunnel's clients may write and change settings. */
export interface Control {
  join(contender: Contender): Seat
  /** The device's state is different: it may be free now. */
  deviceChanged(): void
  stop(): Promise<void>
}

/** Everyone may. */
export const sharedControl: Control = {
  join: () => ({
    hasControl: true,
    fence: undefined,
    standing: async () => "controls",
    prepareToLeave() {},
    async leave() {},
  }),
  deviceChanged() {},
  async stop() {},
}
