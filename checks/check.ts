/** Something that must hold for the whole repository. */
export interface Check {
  readonly name: string
  /** The problems it finds, as text to show; empty when it holds. */
  readonly run: (options: CheckOptions) => Promise<string>
}

export interface CheckOptions {
  /** Root folder of the repository. */
  readonly root: string
  /** Brings generated files up to date instead of complaining. */
  readonly write: boolean
}
