/** A vitest reporter that writes what `npm test` needs for its closing lines: every test's state, the reason of a skip, and errors outside of tests. */
import { writeFileSync } from 'node:fs'

export default class TestReport {
  onTestRunEnd(modules, unhandledErrors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()].map(testLine))
    const problems = [
      ...modules.flatMap((module) => module.errors().map((error) => `${module.relativeModuleId}: ${error.message}`)),
      ...modules.flatMap((module) => suiteErrors(module)),
      ...unhandledErrors.map((error) => `unhandled: ${error.message}`),
    ]
    writeFileSync(process.env.BENDI_TEST_REPORT, JSON.stringify({ tests, problems }))
  }
}

function testLine(test) {
  const { state, note } = test.result()
  return { name: `${test.module.relativeModuleId} > ${test.fullName}`, state, note }
}

/** Hooks such as beforeAll fail a suite, whose tests then do not run. */
function suiteErrors(module) {
  return [...module.children.allSuites()].flatMap((suite) =>
    suite.errors().map((error) => `${module.relativeModuleId} > ${suite.fullName}: ${error.message}`),
  )
}
