// Where a client keeps its files, and how it opens a browser.
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** A home of its own, and a desktop whose browser is the person. */
export function home(control) {
  const directory = mkdtempSync(join(tmpdir(), 'interop-'))
  const programs = join(directory, 'bin')
  mkdirSync(programs)
  const browser = join(programs, 'xdg-open')
  const script = '#!/bin/sh\nexec curl -sS --get --data-urlencode "url=$1" "$BROWSER_CONTROL"\n'
  writeFileSync(browser, script)
  chmodSync(browser, 0o755)
  const environment = {
    PATH: [programs, join(process.cwd(), 'node_modules/.bin'), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
    HOME: directory,
    TERM: 'xterm',
    BROWSER: browser,
    BROWSER_CONTROL: control,
    MCP_REMOTE_CONFIG_DIR: join(directory, 'mcp-remote'),
    DISABLE_AUTOUPDATER: '1',
  }
  return { directory, environment }
}
