import type { RequestHandler } from "express"

/**
 * What the page may do: use its own files, and talk to its own service. Scripts can never be inline, so device bytes
 * cannot become one; and no other site can frame it and steal keys or clicks.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  // xterm.js writes its colours and sizes into <style> elements and style attributes, and takes no nonce. Styles alone
  // can send nothing anywhere while every other source is the service itself.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  // Strings never become markup or code, not even by mistake (Trusted Types, where the browser has them).
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ")

export const securityHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    "Content-Security-Policy": contentSecurityPolicy,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    // To this service, requests tell where they come from; other sites learn nothing.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
  })
  next()
}
