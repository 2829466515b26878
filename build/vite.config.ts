import { defaultClientConditions, defineConfig } from "vite"

/** How each page is bundled. */
export default defineConfig({
  // Relative, so that a proxy may serve the page below a path.
  base: "./",
  resolve: { conditions: ["@serialcast/source", ...defaultClientConditions] },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2023",
    // `img-src 'self'` and friends: every file is a file, nothing becomes a data: URL.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
