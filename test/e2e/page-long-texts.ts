/** Long answers as models write them. Each is about as many characters as asked for. */

export function mixedText(characters: number): string {
  return repeat(section, characters)
}

/** Single blocks, which cannot be rendered part by part. */
export const singleBlocks = {
  table: (characters: number): string => `| a | b | c |\n|---|---|---|\n${repeat(row, characters)}`,
  code: (characters: number): string => `\`\`\`typescript\n${repeat(statement, characters)}`,
  list: (characters: number): string => repeat(item, characters),
  paragraph: (characters: number): string => repeat(sentence, characters),
} as const

const row = (index: number): string => `| **row ${index}** | \\(a_{${index}}\\) and text | \`code ${index}\` 中文 |\n`
const statement = (index: number): string =>
  `export function value${index}(input: string): number {\n  // comment ${index}\n  return \`x \${input}\`.length * ${index}\n}\n\n`
const item = (index: number): string => `${index}. 第 ${index} 项 with **bold** and \\(x_{${index}}^2\\)\n   - nested \`${index}\`\n`
const sentence = (index: number): string => `Sentence ${index} says that **this** is a very long paragraph，中文句子 ${index}。`

const section = (index: number): string => `## ${index}. Sorting 排序

Quicksort divides the list around a **pivot**, and \\(T(n) = 2T(n/2) + O(n)\\) gives \\(O(n \\log n)\\) on average. It costs $5 or $10.

\\[ \\sum_{k=1}^{n} \\frac{k^2 + ${index}}{\\sqrt{k}} = \\int_0^1 f(x)\\,dx \\]

| Algorithm | Average | 备注 |
|---|---|---|
| Quicksort | \\(n \\log n\\) | 原地 |
| Merge sort | \\(n \\log n\\) | 需要额外空间 |

\`\`\`python
def quicksort_${index}(items):
    pivot = items[len(items) // 2]
    return quicksort([x for x in items if x < pivot]) + [pivot] + quicksort([x for x in items if x > pivot])
\`\`\`

1. 先选一个基准，再把**较小的**放到左边，**“较大的”**放到右边。
2. Then sort both parts \`recursively\`.
   - nested *item* with [a link](https://example.com/${index})

> A quote with **bold** words.

`

function repeat(make: (index: number) => string, characters: number): string {
  let text = ''
  for (let index = 1; text.length < characters; index += 1) text += make(index)
  return text.slice(0, characters)
}
