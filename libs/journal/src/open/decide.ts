import type { NoteContent } from "./journal-note.ts"

/** What is known at an opening, of the newest epoch that is kept. */
export interface Evidence {
  /** Of the running system; null: not known. */
  readonly bootId: string | null
  readonly note: Pick<NoteContent, "epoch" | "bootId" | "isClean" | "stage" | "time"> | null
  /** Of the newest segments; null: nothing is kept. */
  readonly newestEpoch: string | null
  /** That an earlier process of the same boot left. */
  readonly stage: {
    readonly epoch: string
    readonly id: string
    readonly madeMs: number
    /** The journal's files had something of its epoch. */
    readonly hasFiles: boolean
  } | null
}

export type Decision =
  /** The stage has all that was shown and is not in the files, or says that it was. */
  | { readonly how: "stage"; readonly epoch: string }
  /** The files are as they were closed. */
  | { readonly how: "clean"; readonly epoch: string }
  /** The process was killed, and the system still runs: the kernel has what was shown. */
  | { readonly how: "tail"; readonly epoch: string }
  /** What was shown may be missing, so its places may not be used again: another epoch begins. */
  | { readonly how: "anew"; readonly why: string }

/** Whether the newest epoch may be gone on with: only if no place of it that was shown can be given to another byte. */
export function decide(evidence: Evidence): Decision {
  const { bootId, note, newestEpoch, stage } = evidence
  if (stage !== null && isCurrent(stage, evidence)) return { how: "stage", epoch: stage.epoch }
  if (note === null) {
    return anew(newestEpoch === null ? "there is no journal" : "its note is missing, or that of a copy")
  }
  const { epoch } = note
  if (newestEpoch !== null && newestEpoch !== epoch) return anew("its note is of another epoch")
  if (note.isClean) return { how: "clean", epoch }
  if (bootId === null || note.bootId !== bootId) return anew("the system stopped without closing it")
  if (note.stage !== null) return anew("its stage is gone")
  return { how: "tail", epoch }
}

/** Unless an agent that did not use the stage wrote a note after it was made. */
function isCurrent(stage: NonNullable<Evidence["stage"]>, { note, bootId, newestEpoch }: Evidence): boolean {
  // Another epoch is on the disk: unless this one never was, it is an earlier one.
  if (note === null && newestEpoch !== null && newestEpoch !== stage.epoch && stage.hasFiles) return false
  if (note === null || note.stage === stage.id || note.bootId !== bootId) return true
  return note.time !== null && note.time.monotonicMs < stage.madeMs
}

function anew(why: string): Decision {
  return { how: "anew", why }
}
