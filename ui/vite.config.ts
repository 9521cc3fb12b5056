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

export default defineConfig(({ command }) => {
  // A test runner that builds the page has its own NODE_ENV, which would give React's development build.
  if (command === 'build') process.env['NODE_ENV'] = 'production'
  return {
    plugins: [react(), tailwindcss(), onlyNewFonts],
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
