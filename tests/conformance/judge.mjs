// Judges a folder of results strictly: every check of the suite must have passed. The exit code of the suite
// itself overlooks warnings, skipped checks and scenarios that "are not scored".
//
//     node judge.mjs <folder> [--skipped <scenario>]…   scenarios that the suite itself always skips
import fs from "node:fs";
import path from "node:path";

const [folder, ...rest] = process.argv.slice(2);
const skipped = rest.filter((argument) => argument !== "--skipped");
const runs = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
let passed = 0;
const failures = [];
for (const run of runs) {
  const file = path.join(folder, run, "checks.json");
  if (!fs.existsSync(file)) {
    failures.push(`${run}: the suite wrote no result`);
    continue;
  }
  const expectedSkip = skipped.some((name) => run.includes(name));
  const checks = JSON.parse(fs.readFileSync(file, "utf8"));
  const counted = checks.filter((check) => check.status !== "INFO");
  if (counted.length === 0 && !expectedSkip) failures.push(`${run}: nothing was checked`);
  for (const check of counted) {
    if (check.status === "SUCCESS") passed += 1;
    else if (!(expectedSkip && check.status === "SKIPPED"))
      failures.push(`${run}: ${check.id} ${check.status} ${check.errorMessage ?? ""}`);
  }
}
if (runs.length === 0) failures.push(`${folder}: no results`);
for (const failure of failures) console.error(failure);
console.log(`${passed} checks passed, ${failures.length} did not`);
process.exit(failures.length === 0 ? 0 : 1);
