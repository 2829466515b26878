import { defaultRoot, errorCatalogue, topicTable } from "@serialcast/contract"
import { configJsonSchema, configReference } from "@serialcast/service-kit"

/** Content of every generated page by file name. */
export function referencePages(): Readonly<Record<string, string>> {
  return {
    "topics.md": page(
      "Topics",
      `Every topic starts with \`${defaultRoot}/\`, or what \`broker.root\` says. Names match \`[a-z0-9][a-z0-9_-]{0,63}\`. ` +
        "One topic is always published with the same QoS.",
      topicRows(),
    ),
    "errors.md": page(
      "Errors",
      "Every error has one of these codes, over HTTP (with the status given, as an RFC 9457 problem document), " +
        "WebSocket and MQTT. Codes are never renamed or reused.",
      errorRows(),
    ),
    "configuration.md": `${heading("Configuration", configurationIntroduction)}${configReference()}`,
    "configuration.schema.json": `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
  }
}

const configurationIntroduction = `One YAML file, shared by all services: the one that \`SERIALCAST_CONFIG\` names, else \`serialcast.yaml\` in the working
directory. An environment variable goes before the file; an empty one is one that is not set. A list or a map can only
be given in the file. [configuration.schema.json](configuration.schema.json) lets editors check the file.

A listener that other machines can reach is refused unless \`access\` says who may use it, and so are two listeners of one
process at the same port of an address; port 0 is another one each time.`

function topicRows(): readonly (readonly string[])[] {
  const rows = Object.values(topicTable).map(({ pattern, qos, retain, from, to, payload }) => [
    `\`${defaultRoot}/${pattern}\``,
    String(qos),
    retain ? "yes" : "no",
    from,
    to,
    payload,
  ])
  return [["topic", "QoS", "retained", "from", "to", "payload"], ...rows]
}

function errorRows(): readonly (readonly string[])[] {
  const rows = Object.entries(errorCatalogue).map(([code, { status, fix }]) => [
    `\`${code}\``,
    String(status),
    fix,
  ])
  return [["code", "HTTP status", "what to do"], ...rows]
}

function page(
  title: string,
  introduction: string,
  [header = [], ...rows]: readonly (readonly string[])[],
): string {
  const table = [header, header.map(() => "---"), ...rows]
  return `${heading(title, introduction)}${table.map((cells) => `| ${cells.join(" | ")} |\n`).join("")}`
}

function heading(title: string, introduction: string): string {
  return `# ${title}\n\n<!-- Generated from the code by \`npm run check -- --write\`. -->\n\n${introduction}\n\n`
}
