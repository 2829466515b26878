import { byId } from "@serialcast/web-terminal"
import { pageUrl } from "./page-url.ts"

/** Whether the service answers this browser: false when it wants a token first. Throws when it cannot be reached. */
export async function hasAccess(): Promise<boolean> {
  const response = await fetch(pageUrl("api/v1/devices"), { signal: AbortSignal.timeout(10_000) })
  return response.status !== 401
}

/** Shows the log-in form in place of the console; a right token loads the page again. */
export function showLogIn(): void {
  byId("console", HTMLElement).hidden = true
  byId("service-status", HTMLElement).hidden = true
  byId("log-in", HTMLFormElement).hidden = false
  byId("log-in-token", HTMLInputElement).focus()
}

/** Makes the log-in form work. */
export function prepareLogIn(): void {
  const form = byId("log-in", HTMLFormElement)
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    void submit(byId("log-in-token", HTMLInputElement).value)
  })
}

async function submit(token: string): Promise<void> {
  const problem = byId("log-in-problem", HTMLElement)
  problem.textContent = ""
  try {
    const response = await fetch(pageUrl("login"), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token }),
      signal: AbortSignal.timeout(10_000),
    })
    if (response.ok) location.replace(pageUrl("."))
    else problem.textContent = response.status === 401 ? "This is not the token." : await detailOf(response)
  } catch {
    problem.textContent = "The console cannot be reached. Is it still running?"
  }
}

async function detailOf(response: Response): Promise<string> {
  const problem: unknown = await response.json()
  return typeof problem === "object" && problem !== null && "detail" in problem
    ? String(problem.detail)
    : "Refused."
}
