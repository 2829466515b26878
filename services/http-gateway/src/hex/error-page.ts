import { type ServerResponse, STATUS_CODES } from "node:http"

/** Ends a request as the original server does: an HTML page, and the end of the connection. */
export function sendErrorPage(response: ServerResponse, status: number, message: string): void {
  const title = `${status} ${STATUS_CODES[status] ?? ""}`.trim()
  const page = `<!DOCTYPE html>\n<title>${title}</title>\n<h1>${title}</h1>\n<p>${escapeHtml(message)}</p>\n`
  response.writeHead(status, {
    Connection: "close",
    "Content-Type": "text/html;charset=utf-8",
    "Content-Length": Buffer.byteLength(page),
    // The message may quote what a device or a stranger sent.
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
  })
  response.end(page)
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
