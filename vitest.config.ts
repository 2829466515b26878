import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"

const conditions = ["@serialcast/source"]
const shared = { ssr: { resolve: { conditions } }, resolve: { conditions } }
const exclude = ["**/node_modules/**", "**/dist/**"]

// Of the files of one process only the first pays for its start and for the modules: that halves the computing. It can
// be so because no module has state of its own.
const isolate = false
// A right program on a busy machine is late; a wrong one that hangs is told as well after a minute.
const patience = { testTimeout: 60_000, hookTimeout: 60_000 }
// A process has files of one project only, so one project comes after the other: the longer files first.
const [first, second] = [{ groupOrder: 1 }, { groupOrder: 2 }]

export default defineConfig({
  test: {
    // Tests of real programs wait about as much as they compute: two more at a time than there are cores.
    maxWorkers: availableParallelism() + 2,
    projects: [
      {
        ...shared,
        test: {
          name: "unit",
          sequence: second,
          isolate,
          ...patience,
          include: [
            "{libs,services}/*/src/**/*.test.ts",
            "bench/src/**/*.test.ts",
            "services/*/page/src/**/*.test.ts",
            "cli/src/**/*.test.ts",
            "build/*.test.ts",
          ],
          exclude: [...exclude, "**/*.integration.test.ts"],
        },
      },
      {
        ...shared,
        test: {
          name: "integration",
          sequence: first,
          isolate,
          ...patience,
          include: ["**/*.integration.test.ts"],
          exclude,
          globalSetup: "cli/src/testing/build-cli.ts",
        },
      },
      {
        ...shared,
        test: {
          name: "e2e",
          include: ["{e2e,bench,cli}/src/**/*.e2e.ts", "{libs,services}/*/src/**/*.e2e.ts"],
          exclude,
          // The containers are removed by the tests that start them. What the library would start to do so is an image that has
          // to be pulled.
          env: { TESTCONTAINERS_RYUK_DISABLED: "true" },
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
