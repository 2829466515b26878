/** Of what others may have said, nothing that a terminal would obey, and no line of its own. */
export function onOneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, " ")
}
