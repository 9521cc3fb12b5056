import { fileURLToPath } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const server = 'http://127.0.0.1:8400'
const own = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** KaTeX's styles name each font as woff2, woff and ttf; every browser that runs the page takes the first. */
const onlyNewFonts: Plugin = {
  name: 'only-new-fonts',
  generateBundle(_, bundle) {
    for (const name of Object.keys(bundle)) if (/KaTeX.*\.(woff|ttf)$/.test(name)) delete bundle[name]
  },
}

/** The tables of reasons are loaded with the first error that needs them; src/shared/errors.ts has them at once everywhere else. */
const lazyReasons: Plugin = {
  name: 'lazy-reasons',
  enforce: 'pre',
  resolveId: (source, importer) =>
    source === './localize-reason.ts' && importer?.endsWith('/shared/errors.ts') ? own('src/api/lazy-reasons.ts') : undefined,
}

/** What schemas are made of goes too: in the page each is the one that accepts everything (src/api/lenient-zod.ts). */
const noSchemas: Plugin = {
  name: 'no-schemas',
  apply: 'build',
  transform(code, id) {
    if (!id.includes('/src/shared/') || !/\bz\b[^}]*\} from ['"]zod['"]/.test(code)) return undefined
    const declarators = this.parse(code).body.flatMap((node) => {
      const declaration = node.type === 'ExportNamedDeclaration' ? node.declaration : node
      return declaration?.type === 'VariableDeclaration' ? declaration.declarations : []
    })
    const lean = declarators.toReversed().reduce((text, { id: name, init }) => {
      const isSchema = name.type === 'Identifier' && name.name.endsWith('Schema') && init
      return isSchema ? `${text.slice(0, init.start)}z${text.slice(init.end)}` : text
    }, code)
    return { code: lean, map: null }
  },
}

export default defineConfig(({ command }) => {
  // A test runner that builds the page has its own NODE_ENV, which would give React's development build.
  if (command === 'build') process.env['NODE_ENV'] = 'production'
  return {
    plugins: [react(), tailwindcss(), onlyNewFonts, lazyReasons, noSchemas],
    // What the page does not need of its libraries; the reasons are in these files.
    resolve: {
      alias: { zod: own('src/api/lenient-zod.ts'), 'react-remove-scroll': own('src/components/ui/no-scroll-lock.tsx') },
    },
    build: {
      outDir: '../dist/ui',
      emptyOutDir: true,
      target: 'es2022',
      // Fonts of formulas stay files.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 600,
    },
    server: { proxy: { '/api': server, '/v1': server, '/health': server, '/ready': server } },
  }
})
