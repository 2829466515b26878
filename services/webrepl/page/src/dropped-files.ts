export interface DropHandlers {
  readonly mayDrop: () => boolean
  readonly onDrop: (files: readonly File[]) => void
}

/** Takes files that are dropped anywhere on the page, and marks `target`, which they go to, while they are dragged over it. */
export function receiveDroppedFiles(target: HTMLElement, { mayDrop, onDrop }: DropHandlers): void {
  const mark = (isOver: boolean) => target.classList.toggle("is-target", isOver)
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return
    // Otherwise the browser would leave the page for the file.
    event.preventDefault()
    event.dataTransfer.dropEffect = mayDrop() ? "copy" : "none"
    mark(mayDrop())
  })
  document.addEventListener("dragleave", (event) => {
    // The pointer has left the window, not only one element for the next.
    if (event.relatedTarget === null) mark(false)
  })
  document.addEventListener("drop", (event) => {
    mark(false)
    const files = [...(event.dataTransfer?.files ?? [])]
    if (files.length === 0) return
    event.preventDefault()
    if (mayDrop()) onDrop(files)
  })
}
