import type { ITheme } from "@xterm/xterm"

const dark: ITheme = {
  background: "#0d1117",
  foreground: "#d7dee7",
  cursor: "#2dd4bf",
  cursorAccent: "#0d1117",
  selectionBackground: "#2dd4bf44",
  black: "#30363d",
  red: "#ff7b72",
  green: "#56d364",
  yellow: "#e3b341",
  blue: "#79c0ff",
  magenta: "#d2a8ff",
  cyan: "#56d4dd",
  white: "#c9d1d9",
  brightBlack: "#8b949e",
  brightRed: "#ffa198",
  brightGreen: "#7ee787",
  brightYellow: "#f2cc60",
  brightBlue: "#a5d6ff",
  brightMagenta: "#e2c5ff",
  brightCyan: "#b3f0ff",
  brightWhite: "#ffffff",
}

const light: ITheme = {
  background: "#ffffff",
  foreground: "#1f2933",
  cursor: "#0f766e",
  cursorAccent: "#ffffff",
  selectionBackground: "#0f766e33",
  black: "#24292f",
  red: "#b42318",
  green: "#116329",
  yellow: "#7d5700",
  blue: "#0550ae",
  magenta: "#8250df",
  cyan: "#1b6b72",
  white: "#6e7781",
  brightBlack: "#57606a",
  brightRed: "#cf222e",
  brightGreen: "#1a7f37",
  brightYellow: "#9a6700",
  brightBlue: "#218bff",
  brightMagenta: "#a475f9",
  brightCyan: "#3192aa",
  brightWhite: "#8c959f",
}

/** Calls `apply` with the theme for the system's colour scheme, now and whenever that changes. */
export function followColorScheme(apply: (theme: ITheme) => void): void {
  const query = matchMedia("(prefers-color-scheme: light)")
  const update = () => apply(query.matches ? light : dark)
  query.addEventListener("change", update)
  update()
}
