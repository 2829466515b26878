/** MQTT 3.1.1 §4.7, for topics that do not start with `$`: those are the broker's own, and published by nobody. */
export function matchesFilter(filter: string, topic: string): boolean {
  const wanted = filter.split("/")
  const levels = topic.split("/")
  for (const [at, level] of wanted.entries()) {
    // It stands for the level before it too, and for none.
    if (level === "#") return true
    if (at >= levels.length || (level !== "+" && level !== levels[at])) return false
  }
  return wanted.length === levels.length
}
