/**
 * iOS lays its keyboard over the page, which stays as high as before: the composer would lie behind it. While that is so, the
 * page is made as high as what is visible. Other browsers do this themselves (`interactive-widget` in index.html).
 */

/** px; smaller differences are browser bars that come and go, for which there is `dvh`. */
const KEYBOARD_PX = 120

export interface VisibleHeightOptions {
  viewport: Pick<VisualViewport, 'height' | 'scale' | 'addEventListener'>
  /** px that the page has without a keyboard. */
  pageHeight: () => number
  setHeight: (height: number | undefined) => void
}

export function watchVisibleHeight({ viewport, pageHeight, setHeight }: VisibleHeightOptions): void {
  const update = (): void => {
    // A reader who has zoomed in sees less as well.
    const covered = viewport.scale === 1 && pageHeight() - viewport.height > KEYBOARD_PX
    setHeight(covered ? viewport.height : undefined)
  }
  viewport.addEventListener('resize', update)
}

export function startVisibleHeight(): void {
  if (!window.visualViewport) return
  watchVisibleHeight({
    viewport: window.visualViewport,
    pageHeight: () => innerHeight,
    setHeight: (height) => {
      document.documentElement.style.setProperty('--visible-height', height === undefined ? '' : `${height}px`)
      if (height !== undefined) scrollTo(0, 0)
    },
  })
}
