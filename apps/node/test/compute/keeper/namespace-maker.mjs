// Stands for a keeper: makes many namespaces at once, says that it has begun, and lives on until it is killed.
// Runs what was compiled, in a process of its own. Argument: a mark for the environment of all that it starts.
import { PidNamespaces } from '../../../compiled/compute/keeper/pid-namespaces.js'

const [mark] = process.argv.slice(2)
const namespaces = await PidNamespaces.find({ MADE_FOR: mark })
process.stdout.write('found\n')
for (let count = 0; count < 20; count += 1) namespaces.take(null).catch(() => undefined)
