import type { Clock } from "@serialcast/primitives"
import { createEpoch } from "../create-epoch.ts"
import type { Journals } from "../journals.ts"
import { createMemoryJournal } from "./memory-journal.ts"

/** Journals that end with the process, and touch no disk: of each device, the newest 16 MiB of each direction. */
export function createMemoryJournals({ clock }: { readonly clock: Clock }): Journals {
  return {
    open: async () => createMemoryJournal({ clock, createEpoch }),
    release: async () => {},
  }
}
