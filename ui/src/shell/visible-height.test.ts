import { describe, expect, it } from 'vitest'
import { watchVisibleHeight } from './visible-height.ts'

function watched(): { resize(height: number, scale?: number): number | undefined } {
  let shown: number | undefined
  const viewport = Object.assign(new EventTarget(), { height: 800, scale: 1 })
  watchVisibleHeight({ viewport: viewport as unknown as VisualViewport, pageHeight: () => 800, setHeight: (height) => (shown = height) })
  return {
    resize: (height, scale = 1) => {
      Object.assign(viewport, { height, scale }).dispatchEvent(new Event('resize'))
      return shown
    },
  }
}

describe('watchVisibleHeight', () => {
  it('makes the page as high as what the keyboard leaves, and high again when it is gone', () => {
    const page = watched()
    expect(page.resize(460)).toBe(460)
    expect(page.resize(800)).toBeUndefined()
  })

  it('leaves bars of the browser and a zoomed page alone', () => {
    const page = watched()
    expect(page.resize(740)).toBeUndefined()
    expect(page.resize(400, 2)).toBeUndefined()
  })
})
