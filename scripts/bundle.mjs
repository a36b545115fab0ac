// Bundles the program in the current directory, an app of ours, from the sources of all that it is made of into few
// files of dist, because loading many takes most of a start. With them go the licences of what is not ours.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { rolldown } from 'rolldown'

const app = process.cwd()
const dist = join(app, 'dist')
/** Where the licences of what is bundled stand. */
const LICENCES = 'third-party-licences.txt'

/** Stands for the way from a chunk to dist until the chunk has a name. */
const DIST = '@dist@'

const { dependencies } = await readJson(join(app, 'package.json'))
const { references } = await readJson(join(app, 'tsconfig.json'))
const sources = [app, ...references.map(({ path }) => join(app, path))].map((folder) => join(folder, 'src'))

const bundle = await rolldown({
  input: await entriesOf(sources),
  platform: 'node',
  external: (id) => isBuiltin(id) || Object.hasOwn(dependencies, id),
  resolve: { conditionNames: ['@saltcod/source', 'node', 'import', 'module', 'default'] },
  plugins: [placesInDist(sources)],
  onLog(_level, log) {
    throw new Error(log.message)
  },
})
const { output } = await bundle.write({
  dir: dist,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name]-[hash].js',
  sourcemap: true,
  sourcemapExcludeSources: true,
  comments: { legal: true, annotation: false, jsdoc: false },
})
await bundle.close()

refuseLoadedPrograms(output)
const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []))
await writeFile(join(dist, LICENCES), await licencesOf(modules))
await removeOthers(new Set([...output.map(({ fileName }) => fileName), LICENCES]))

/** Finds the programs, and the module that runs command lines: they keep the names that they have in `src`. */
async function entriesOf(folders) {
  const entries = {}
  for (const folder of folders) {
    for (const file of await filesOf(folder)) {
      const isOwn = folder === folders[0] && ['main.ts', 'cli/run.ts'].includes(file)
      if (!isOwn && !file.endsWith('-main.ts')) continue
      const name = file.slice(0, -'.ts'.length)
      if (name in entries) throw new Error(`two programs would become dist/${name}.js`)
      entries[name] = join(folder, file)
    }
  }
  return entries
}

/** Throws where a file would run a program because it loads something that lies with it. */
function refuseLoadedPrograms(files) {
  const chunks = files.filter(({ type }) => type === 'chunk')
  const programs = chunks.filter(({ moduleIds }) => moduleIds.some((id) => /[/-]main\.ts$/.test(id)))
  for (const { fileName, imports, dynamicImports } of chunks) {
    const loaded = programs.find((program) => [...imports, ...dynamicImports].includes(program.fileName))
    if (loaded !== undefined) throw new Error(`${fileName} would run ${loaded.fileName} as it loads`)
  }
}

/** Lets a module find other files by its own place as if it lay alone in dist, whichever chunk it comes to lie in. */
function placesInDist(folders) {
  return {
    name: 'places-in-dist',
    transform(code, id) {
      const folder = folders.find((source) => id.startsWith(source + sep))
      if (folder === undefined || !code.includes('import.meta.url')) return null
      const place = relative(folder, id).replaceAll(sep, '/').replace(/\.ts$/, '.js')
      return {
        code: code.replaceAll('import.meta.url', `new URL('${DIST}/${place}', import.meta.url).href`),
        map: null,
      }
    },
    renderChunk(code, { fileName }) {
      return { code: code.replaceAll(DIST, relative(dirname(fileName), '') || '.'), map: null }
    },
  }
}

/** Returns the licences of the packages that modules come from, but for our own. */
async function licencesOf(ids) {
  const texts = new Map()
  for (const id of ids) {
    const root = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id.replace(/^\0/, ''))?.[0]
    if (root === undefined || texts.has(root)) continue
    texts.set(root, await licenceOf(root))
  }
  return [...new Set(texts.values())].sort().join(`\n${'-'.repeat(80)}\n\n`)
}

async function licenceOf(root) {
  const { name, version, license, homepage = '' } = await readJson(join(root, 'package.json'))
  const file = (await readdir(root)).find((entry) => /^(licen[cs]e|copying)/i.test(entry))
  const text = file === undefined ? '' : `\n${(await readFile(join(root, file), 'utf8')).trim()}\n`
  const title = `${name} ${version} (${license}) ${homepage}`.trim()
  return `${title}\n${text}`
}

/** Removes from dist what an earlier build left there. */
async function removeOthers(kept) {
  for (const file of await filesOf(dist)) if (!kept.has(file)) await rm(join(dist, file))
}

/** Lists the files below a folder, by their paths from there. */
async function filesOf(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return files
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
    .sort()
}

async function readJson(path) {
  return JSON.parse(await readFile(path, 'utf8'))
}
