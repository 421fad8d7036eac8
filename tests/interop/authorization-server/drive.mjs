// Each library goes through everything that the authorization server offers a client, on a stack of its own.
import { oauth4webapi } from './oauth4webapi.mjs'
import { openidClient } from './openid_client.mjs'
import { Setting } from './setting.mjs'

const libraries = { 'openid-client': openidClient, oauth4webapi }
const named = process.argv.slice(2)
let failures = 0
for (const [name, drive] of Object.entries(libraries)) {
  if (named.length > 0 && !named.includes(name)) continue
  const setting = await Setting.start()
  const done = []
  try {
    await drive(setting, (step) => done.push(step))
    console.log(`${name}: ${done.join(', ')}`)
  } catch (error) {
    failures += 1
    console.error(`${name} failed after: ${done.join(', ') || 'nothing'}\n`, error)
    console.error(setting.stack.log.slice(-2000))
  } finally {
    await setting.stop()
  }
}
process.exit(failures === 0 ? 0 : 1)
