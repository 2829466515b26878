import { type MediaType, parseMediaType } from "../negotiate/media-type.ts"

const runs = /^(?:x?html\b|xml\b|xsl|.*\+xml$|(?:x-)?(?:java|ecma|j|live)script|css$|cache-manifest$)/

/**
 * The type that a resource of type `contentType` is served with. Those that a browser runs (HTML, SVG, all XML, scripts, style
 * sheets, and parcels that may have one in them) are text, unless `allowHtml`: anybody who may write here would else put a
 * program into the pages of this origin. They are taken as they are and changed only here, because records come on other ways
 * too, and clients of the original give HTML to what they mean as text.
 */
export function servedType(contentType: string, allowHtml: boolean): string {
  const parsed = parseMediaType(contentType)
  if (allowHtml || (parsed !== undefined && !mayRun(parsed))) return contentType
  const charset = parsed?.parameters.get("charset")
  // What is no token would need its quotes again.
  return charset !== undefined && /^[\w.-]+$/.test(charset) ? `text/plain; charset=${charset}` : "text/plain"
}

function mayRun({ type, subtype }: MediaType): boolean {
  return type === "multipart" || type === "message" || runs.test(subtype)
}
