// Counts for the last lines of `npm test`: golden cases run, without a method so far, absent. scripts/test.mjs prints them.
const { writeFileSync } = require('node:fs');

module.exports = class {
  onRunComplete(_contexts, results) {
    const golden = { run: 0, missing: 0, absent: 0 };
    for (const file of results.testResults) {
      for (const test of file.testResults) {
        if (!test.fullName.startsWith('golden ')) continue;
        if (test.status === 'passed' || test.status === 'failed') golden.run++;
        else if (test.fullName.endsWith('(absent)')) golden.absent++;
        else if (test.fullName.endsWith('(not implemented)')) golden.missing++;
      }
    }
    const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped, numTodoTests: todo } = results;
    const lines = [
      `${passed} passed, ${failed} failed, ${skipped + todo} skipped`,
      `golden: ${golden.run} run, ${golden.missing} not implemented, ${golden.absent} absent`,
    ];
    const file = process.env.AFTERPASS_TEST_SUMMARY;
    if (file) writeFileSync(file, `${lines.join('\n')}\n`);
  }
};
