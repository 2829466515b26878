/** The part of a key's event that says whose it is. */
export type PressedKey = Pick<KeyboardEvent, "altKey" | "code" | "ctrlKey" | "key" | "metaKey">

/**
 * Whose a key is, whatever Caps Lock makes of its letter. `leave`: Ctrl+], wherever the keyboard has it. The browser's are copying
 * while something is selected, and pasting; otherwise Ctrl+C interrupts the device.
 */
export function targetOf(pressed: PressedKey, hasSelection: boolean): "terminal" | "browser" | "leave" {
  const { altKey, code, ctrlKey, metaKey } = pressed
  if (altKey || !(ctrlKey || metaKey)) return "terminal"
  if (ctrlKey && (pressed.key === "]" || code === "BracketRight")) return "leave"
  const key = pressed.key.toLowerCase()
  return key === "v" || (key === "c" && hasSelection) ? "browser" : "terminal"
}
