// The last step of `npm run build`: libraries that come as hundreds of small modules are packed into a few files each, in dist/node_modules,
// where what was compiled to dist finds them first. To load them one by one takes a quarter of a second at each start, and ten megabytes.
import { rm, writeFile } from 'node:fs/promises'
import { build } from 'esbuild'

const libraries = ['drizzle-orm', 'typebox', 'uuid']
const folder = 'dist/node_modules'
const common = { bundle: true, format: 'esm', platform: 'node', logLevel: 'warning' }

const { metafile } = await build({
  ...common, entryPoints: ['src/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts'], packages: 'external', outdir: 'dist', write: false, metafile: true
})
const imports = Object.values(metafile.inputs).flatMap(file => file.imports).filter(({ external }) => external)
const specifiers = [...new Set(imports.map(({ path }) => path))]

await rm(folder, { recursive: true, force: true })
await Promise.all(libraries.map(async library => {
  const others = specifiers.filter(specifier => !isOf(library, specifier)).map(nameOf)
  const entries = specifiers.filter(specifier => isOf(library, specifier)).map(specifier => ({ in: specifier, out: specifier.slice(library.length + 1) || 'index' }))
  await build({ ...common, entryPoints: entries, splitting: true, external: others, outdir: `${folder}/${library}` })
  const exports = Object.fromEntries(entries.map(({ in: specifier, out }) => [`.${specifier.slice(library.length)}`, `./${out}.js`]))
  await writeFile(`${folder}/${library}/package.json`, JSON.stringify({ name: library, type: 'module', exports }, null, 2) + '\n')
}))

/** @returns whether the library is what this imports, or a part of it */
function isOf (library, specifier) {
  return specifier === library || specifier.startsWith(`${library}/`)
}

/** "@fastify/cookie" of "@fastify/cookie/types" */
function nameOf (specifier) {
  return specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}
