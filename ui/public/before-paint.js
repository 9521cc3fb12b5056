// Sets theme and language before the first paint. The keys are those of src/theme/theme.ts and src/i18n/i18n.ts.
;(function () {
  const root = document.documentElement
  const read = function (key) {
    try {
      return localStorage.getItem(key)
    } catch {
      return null
    }
  }
  const theme = read('bendi.theme')
  const dark = theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  root.classList.toggle('dark', dark)
  const language = read('bendi.language') || navigator.language
  root.lang = /^zh/i.test(language) ? 'zh-CN' : 'en'
})()
