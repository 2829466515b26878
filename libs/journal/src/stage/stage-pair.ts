import { randomBytes } from "node:crypto"
import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { type StreamName, streamNames } from "@serialcast/contract"
import type { FilesEnd } from "./files-end.ts"
import { Stage, type StageContent } from "./stage.ts"
import { openStageMemory, type StageMemory } from "./stage-memory.ts"

/** The stages of both streams of a device. */
export interface StagePair {
  readonly id: string
  readonly stages: Readonly<Record<StreamName, Stage>>
}

export interface FoundStages extends StagePair {
  readonly epoch: string
  readonly madeMs: number
  readonly contents: Readonly<Record<StreamName, StageContent>>
}

/** What an earlier process of this boot left under `path`; null when that is not a pair of stages. */
export function findStages(path: string, bootId: string): FoundStages | null {
  const rx = resumeOne(path, "rx")
  const tx = resumeOne(path, "tx")
  if (rx !== undefined && tx !== undefined) {
    const { epoch, id, madeMs } = rx.stage.head
    const isPair = tx.stage.head.id === id && tx.stage.head.epoch === epoch
    if (isPair && rx.stage.head.bootId === bootId && tx.stage.head.bootId === bootId) {
      const contents = { rx: rx.content, tx: tx.content }
      return { id, epoch, madeMs, stages: { rx: rx.stage, tx: tx.stage }, contents }
    }
  }
  rx?.stage.close()
  tx?.stage.close()
  return null
}

export interface NewStages {
  readonly epoch: string
  readonly bootId: string
  readonly madeMs: number
  /** How far the journal's files have each stream; null: they have nothing of it. */
  readonly files: Readonly<Record<StreamName, FilesEnd | null>>
}

/** Begins both stages anew under `path`, over whatever is there. Throws the system's errors. */
export function createStages(path: string, { epoch, bootId, madeMs, files }: NewStages): StagePair {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const id = randomBytes(8).toString("hex")
  const create = (stream: StreamName) => {
    const memory = openStageMemory(pathOf(path, stream), "empty")
    try {
      return Stage.create(memory, { format: 1, epoch, stream, bootId, id, madeMs }, { files: files[stream] })
    } catch (error) {
      memory.discard()
      throw error
    }
  }
  const rx = create("rx")
  try {
    return { id, stages: { rx, tx: create("tx") } }
  } catch (error) {
    rx.discard()
    throw error
  }
}

function resumeOne(path: string, stream: StreamName): { stage: Stage; content: StageContent } | undefined {
  let memory: StageMemory
  try {
    memory = openStageMemory(pathOf(path, stream), "keep")
  } catch {
    // None is there.
    return undefined
  }
  try {
    const found = Stage.resume(memory)
    if (found?.stage.head.stream === stream) return found
  } catch {
    // It is not ours, or cannot be read: then there is nothing to go on with.
  }
  memory.close()
  return undefined
}

function pathOf(path: string, stream: StreamName): string {
  return `${path}.${stream}`
}

/** Every stage of a pair. */
export function stagesOf({ stages }: StagePair): Stage[] {
  return streamNames.map((stream) => stages[stream])
}
