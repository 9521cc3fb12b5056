/** Whether a text stands inside of a fenced block, followed as it comes. Source: CommonMark 0.31, 4.5 (three backticks or more, at most three spaces before). */

/** Characters of a line that decide; a language's name is shorter. */
const ENOUGH = 100

export class FenceWatch {
  #isOpen = false
  #line = ''

  /** With the line that has begun. */
  get isInside(): boolean {
    return this.#isOpen !== isFence(this.#line)
  }

  push(text: string): void {
    const lines = text.split('\n')
    for (const [index, line] of lines.entries()) {
      if (index > 0) this.#endLine()
      if (this.#line.length < ENOUGH) this.#line += line.slice(0, ENOUGH)
    }
  }

  #endLine(): void {
    this.#isOpen = this.isInside
    this.#line = ''
  }
}

function isFence(line: string): boolean {
  return /^ {0,3}```+[^`]*$/.test(line)
}
