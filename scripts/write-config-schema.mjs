// Writes the JSON schema of the config file to packages/config/schema.json. Build first.
import { writeFile } from 'node:fs/promises'
import { configSchema } from '../packages/config/dist/index.js'

const target = new URL('../packages/config/schema.json', import.meta.url)
await writeFile(target, `${JSON.stringify(configSchema(), null, 2)}\n`)
