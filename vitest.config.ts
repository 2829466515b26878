import { defineConfig } from "vitest/config"

const conditions = ["@serialcast/source"]
const shared = { ssr: { resolve: { conditions } }, resolve: { conditions } }
const exclude = ["**/node_modules/**", "**/dist/**"]

export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: "unit",
          include: [
            "{libs,services}/*/src/**/*.test.ts",
            "bench/src/**/*.test.ts",
            "services/console/page/src/**/*.test.ts",
            "cli/src/**/*.test.ts",
          ],
          exclude: [...exclude, "**/*.integration.test.ts"],
        },
      },
      {
        ...shared,
        test: { name: "integration", include: ["**/*.integration.test.ts"], exclude, testTimeout: 60_000 },
      },
      {
        ...shared,
        test: {
          name: "e2e",
          include: ["{e2e,bench,cli}/src/**/*.e2e.ts", "services/*/src/**/*.e2e.ts"],
          exclude,
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
