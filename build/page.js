/** Folders of the pages, each in its service's. */
export const pages = ["services/console/page", "services/webrepl/page"]

/**
 * More than a page is made of, so that nothing is forgotten: bundling takes a second.
 *
 * @param {string} page
 */
export function inputsOf(page) {
  return [
    "build",
    "libs",
    page.replace(/\/page$/, ""),
    "package.json",
    "package-lock.json",
    "tsconfig.base.json",
    // What is installed, which after a checkout is not what package-lock.json says.
    "node_modules/.package-lock.json",
  ]
}
