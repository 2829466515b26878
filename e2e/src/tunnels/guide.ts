import { readFile } from "node:fs/promises"

const guides = new URL("../../../docs/guides/", import.meta.url)

/** A page of the guides, of which a test does what its readers do: copy the code blocks. */
export interface Guide {
  /** In all blocks taken from now on, `found` is replaced. Throws when the page does not have it. */
  replace(found: string, by: string): void
  /** The next block below this heading in this language. Throws when there is none left. */
  take(heading: string, language: "sh" | "yaml" | "python" | "cpp" | "html" | "js"): string
  /** Throws when a block was not taken: each of them is somebody's to copy. */
  checkAllTaken(): void
}

interface Block {
  readonly heading: string
  readonly language: string
  readonly text: string
}

export async function readGuide(name: string): Promise<Guide> {
  const page = await readFile(new URL(name, guides), "utf8")
  const blocks = page.split(/^#+ /m).flatMap(blocksOf)
  const replaced = new Map<string, string>()
  return {
    replace(found, by) {
      if (!page.includes(found)) throw new Error(`${name} has no ${found}.`)
      replaced.set(found, by)
    },
    take(heading, language) {
      const at = blocks.findIndex((block) => block.heading === heading && block.language === language)
      const [block] = at === -1 ? [] : blocks.splice(at, 1)
      if (block === undefined) throw new Error(`${name} has no more ${language} below "${heading}".`)
      return replaceAll(block.text, replaced)
    },
    checkAllTaken() {
      const left = blocks.map(({ heading, language, text }) => `${heading}, ${language}: ${text}`)
      if (left.length > 0) throw new Error(`No test used these blocks of ${name}.\n${left.join("\n")}`)
    },
  }
}

function blocksOf(section: string): Block[] {
  const [heading = ""] = section.split("\n", 1)
  return [...section.matchAll(/^```(\w+)\n(.*?)\n```$/gms)].map(([, language = "", text = ""]) => ({
    heading,
    language,
    text,
  }))
}

/** In one pass, as what is put in may look like what is replaced: both are often numbers of ports. */
function replaceAll(text: string, replaced: ReadonlyMap<string, string>): string {
  if (replaced.size === 0) return text
  const found = [...replaced.keys()].map((key) => key.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"))
  return text.replaceAll(new RegExp(found.join("|"), "g"), (key) => replaced.get(key) ?? key)
}
