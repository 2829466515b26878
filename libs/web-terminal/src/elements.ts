/** The element with this id. Throws when the page has none of this kind: page and script belong together. */
export function byId<T extends HTMLElement>(id: string, kind: abstract new (...args: never) => T): T {
  const element = document.getElementById(id)
  if (!(element instanceof kind)) throw new TypeError(`the page has no ${kind.name} #${id}`)
  return element
}

export interface ElementOptions {
  readonly className?: string
  /** Becomes a text node: names and messages come from devices and are never markup. */
  readonly text?: string
  readonly children?: readonly Node[]
}

export function createElement<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { className = "", text, children = [] }: ElementOptions = {},
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  element.className = className
  if (text !== undefined) element.textContent = text
  element.append(...children)
  return element
}
