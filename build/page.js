/** Folder of the page. */
export const page = "services/console/page"

/** More than the page is made of, so that nothing is forgotten: bundling takes a second. */
export const pageInputs = [
  "build",
  "libs",
  "services/console",
  "package.json",
  "package-lock.json",
  "tsconfig.base.json",
  // What is installed, which after a checkout is not what package-lock.json says.
  "node_modules/.package-lock.json",
]
